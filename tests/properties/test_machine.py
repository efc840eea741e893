"""Any sequence of commands, beside a small model of what is owed and what protects."""

from datetime import date

from tests.properties.machine import DAY, Account, Model, lives

TestAccount = Account.TestCase
TestAccount.settings = lives(60, steps=50)


def test_the_model_counts_a_notice_up_to_its_44th_day():
    """Were the model a day milder than the rule, a notice good for a day longer would pass unseen."""
    model = Model()
    served = date(2024, 2, 12)
    model.bills["B1"] = date(2024, 1, 2), 5000
    model.notices.append(served)
    assert "notice" not in model.against(served + 44 * DAY)
    assert "notice" in model.against(served + 45 * DAY)
