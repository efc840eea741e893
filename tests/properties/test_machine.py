"""Any sequence of commands, beside a small model of what is owed and what protects."""

from tests.properties.machine import Account, lives

TestAccount = Account.TestCase
TestAccount.settings = lives(60, steps=50)
