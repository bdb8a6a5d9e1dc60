"""Servers that tests share; each starts only when a test asks for it."""

pytest_plugins = [
    "tests.fixtures.chdb",
    "tests.fixtures.tansu",
    "tests.fixtures.kafka",
    "tests.fixtures.gateway",
    "tests.fixtures.postfix",
    "tests.fixtures.alertmanager",
    "tests.fixtures.browser",
]
