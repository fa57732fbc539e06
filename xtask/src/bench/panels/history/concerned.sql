at >= {since:DateTime('UTC')} AND at < {until:DateTime('UTC')} AND (
        {count:UInt64} = 0 OR component IN (
            SELECT component FROM history_releases WHERE n >= {from:UInt64} AND n < {from:UInt64} + {count:UInt64}
        )
    )
