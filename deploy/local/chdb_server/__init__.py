"""The embedded database: ClickHouse's native protocol on the loopback interface, answered by chDB in this process.

It serves clickhouse-driver, uncompressed. Start it with `python -m deploy.local.chdb_server --path DIR --port 9000`.
"""
