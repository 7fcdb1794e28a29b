"""A wrong configuration: every mistake by file, key, value and mend, and never a secret."""

import pytest

from aphub.domain.errors import AphubError
from aphub.hub import built_in, create_hub
from aphub.plugins import load
from aphub.sealing import MasterKey
from aphub.settings.load import ConfigurationError, load_config, load_settings
from tests.told import FarSides, adapters_for
from tests.world import DAILY, PROVIDER, School, write_config

SECRET = "planted-secret-Zq7xVw3"
PLUGINS = load([*built_in(), ("told", adapters_for(FarSides()))])
MAIL = """
[connections.mail]
adapter = "email"
host = "mail.example.org"
from_address = "office@riverbank.example.org"
"""


def problems_of(tmp_path, *, provider=PROVIDER, school="", agreement=""):
    """Give the mistakes of a configuration in which one file is written so."""
    write_config(tmp_path, [School()], DAILY, provider)
    if school:
        (tmp_path / "config" / "schools" / "hill-school.toml").write_text(school)
    if agreement:
        (tmp_path / "config" / "agreements" / "daily.toml").write_text(agreement)
    with pytest.raises(ConfigurationError) as caught:
        load_config(tmp_path / "config", PLUGINS)
    assert SECRET not in str(caught.value)
    return caught.value


def test_right_configuration_is_one_snapshot_a_provider(tmp_path):
    write_config(tmp_path, [School()], DAILY, PROVIDER)
    assert list(load_config(tmp_path / "config", PLUGINS)) == ["riverbank"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"provider": PROVIDER + 'colour = "blue"\n'},
            ["providers/riverbank.toml, colour", "do not know this key"],
        ),
        ({"provider": PROVIDER.replace("phone =", "phonne =")}, ["phonne", "phone", "This key is needed"]),
        ({"provider": PROVIDER.replace('"RB"', '"rb1"')}, ["prefix", "'rb1'", "Change the value"]),
        (
            {"provider": PROVIDER.replace("office@riverbank", "office @riverbank")},
            ["reply_to", "Remove the space"],
        ),
        ({"provider": "name = Riverbank\n"}, ["providers/riverbank.toml", "not TOML", "line 1"]),
        ({"provider": "\xff"}, ["providers/riverbank.toml"]),
        (
            {"provider": PROVIDER + "own_register_closes_minutes = 45\n"},
            ["own_register_closes_minutes", "'45'"],
        ),
        (
            {"provider": PROVIDER + '[connections.xy]\nadapter = "emial"\n'},
            ["No adapter called 'emial'", "told"],
        ),
        ({"provider": PROVIDER + '[feeds.xy]\nsource = "inbx"\n'}, ["No source called 'inbx'"]),
        ({"provider": PROVIDER + MAIL + 'hots = "x"\n'}, ["connections.mail.hots", "do not know this key"]),
        (
            {
                "school": 'name = "H"\n'
                + '[[channels]]\nname = "a1"\nconnection = "told-far"\naddress = "x"\n' * 2
            },
            ["schools/hill-school.toml", "Two channels are called 'a1'"],
        ),
        (
            {"school": 'name = "H"\n[[channels]]\nname = "a1"\nconnection = "told-fra"\naddress = "x"\n'},
            ["channels.a1.connection", "'told-fra' is no connection of riverbank"],
        ),
        ({"school": "name = 5\n"}, ["schools/hill-school.toml, name"]),
        (
            {"school": 'name = "H"\n[[channels]]\nname = "a1"\nconnection = "told-far"\n'},
            ["a1.address", "needed"],
        ),
        ({"agreement": 'from = 2025-09-01\ncadence = "hourly"\ndue = "09:45"\n'}, ["agreements/daily.toml"]),
        (
            {"agreement": 'from = 2025-09-01\ncadence = "daily"\ndue = "soon"\n'},
            ["agreements/daily.toml", "soon"],
        ),
        ({"agreement": 'cadence = "daily"\ndue = "09:45"\n'}, ["from", "needed"]),
    ],
)
def test_each_mistake_names_file_key_and_mend(tmp_path, files, said):
    words = str(problems_of(tmp_path, **files))
    for part in said:
        assert part in words, words


def test_all_mistakes_are_named_at_once(tmp_path):
    wrong = problems_of(
        tmp_path,
        provider=PROVIDER + 'colour = "blue"\nown_register_closes_minutes = 45\n',
        agreement='from = 2025-09-01\ncadence = "daily"\ndue = "soon"\n',
    )
    assert len(wrong.problems) >= 3
    assert "problems in the configuration" in str(wrong)


@pytest.mark.parametrize(
    "line",
    [
        f'username = "us"\npassword = "{SECRET}"\n',
        f'passwrod = "{SECRET}"\n',
        f'username = "us"\npassword = ["{SECRET}"]\n',
        f'username = "us"\npassword = {{value = "{SECRET}"}}\n',
        f'password = "{SECRET}"\n',
    ],
)
def test_secret_typed_into_a_file_is_refused_and_never_repeated(tmp_path, line):
    problems_of(tmp_path, provider=PROVIDER + MAIL + line)


def test_number_typed_as_a_secret_is_not_repeated(tmp_path):
    assert "90817263" not in str(
        problems_of(tmp_path, provider=PROVIDER + MAIL + 'username = "us"\npassword = 90817263\n')
    )


def test_dates_that_are_none_or_the_wrong_way_round_are_said_in_our_words(tmp_path):
    terms = 'terms = [{starts = "1 May 2026", ends = 2026-07-01}, {starts = 2026-12-31, ends = 2026-03-31}]\n'
    words = str(problems_of(tmp_path, provider=terms + PROVIDER))
    assert "This is no date. Write it like 2026-03-03" in words
    assert "The last day, 2026-03-31, is before the first, 2026-12-31" in words
    assert "valid" not in words


def test_secret_in_a_file_names_the_command(tmp_path):
    words = str(problems_of(tmp_path, provider=PROVIDER + MAIL + f'username = "us"\npassword = "{SECRET}"\n'))
    assert "aphub secret set NAME" in words
    assert 'password = "secret:NAME"' in words


def test_agreement_that_could_only_write_a_register_is_refused(tmp_path):
    ways = (("mis", "told-register", "mis"),)
    terms = {"daily": 'cadence = "daily"\ndue = "09:45"\nchannels = ["mis"]'}
    write_config(tmp_path, [School(channels=ways)], terms, PROVIDER)
    with pytest.raises(ConfigurationError, match="urgent news has no code to write"):
        load_config(tmp_path / "config", PLUGINS)


def test_no_provider_at_all_says_where_to_add_one(tmp_path):
    (tmp_path / "config").mkdir()
    with pytest.raises(ConfigurationError, match="There is no provider yet"):
        load_config(tmp_path / "config", PLUGINS)


def test_hub_settings_have_defaults_and_refuse_unknown_keys(tmp_path):
    assert load_settings(tmp_path).store.url == "sqlite:///hub.db"
    (tmp_path / "hub.toml").write_text('colour = "blue"\n')
    with pytest.raises(ConfigurationError, match=r"hub\.toml, colour: We do not know this key"):
        load_settings(tmp_path)


def test_hub_is_never_made_over_another(tmp_path):
    create_hub(tmp_path / "home", MasterKey.generate())
    key = (tmp_path / "home" / "keys" / "master.key").read_bytes()
    with pytest.raises(AphubError):
        create_hub(tmp_path / "home", MasterKey.generate())
    assert (tmp_path / "home" / "keys" / "master.key").read_bytes() == key


LADDER = """
[ladders.missing]
when = "unexplained absence"
[[ladders.missing.steps]]
name = "first-call"
do = "phone home"
by = "start + 10 min"
owner = "office"
"""


def test_ladders_are_read_in_the_words_that_people_use(tmp_path):
    write_config(tmp_path, [School()], DAILY, PROVIDER + LADDER)
    provider = load_config(tmp_path / "config", PLUGINS)["riverbank"].provider
    ladder = provider.every_ladder()[0]
    assert (ladder.name, ladder.when.words, ladder.steps[0].do.words) == (
        "missing",
        "unexplained absence",
        "phone home",
    )
    assert provider.who("safeguarding lead") == "Ada Example, safeguarding lead"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("unexplained absence", "bad mood", ["ladders.missing", "'bad mood' is none of", "left site"]),
        ("phone home", "worry", ["ladders.missing.steps.0", "'worry' is none of", "phone home"]),
        ("start + 10 min", "soon", ["ladders.missing.steps.0", "'soon' is no deadline", "start + 10 min"]),
        ('"office"', '"mentor"', ["gives 'first-call' to 'mentor'", "under [roles]"]),
        ("phone home", "letter home", ["names its letter"]),
        ('"first-call"', '"first-call"\nwhem = 1', ["whem", "do not know this key"]),
    ],
)
def test_each_mistake_in_a_ladder_is_named_with_its_mend(tmp_path, old, new, said):
    words = str(problems_of(tmp_path, provider=PROVIDER + LADDER.replace(old, new)))
    assert [word for word in said if word not in words] == []
