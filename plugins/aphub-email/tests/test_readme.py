from pathlib import Path

from aphub_email import Attestation, EmailConnection, EmailRoute, graph_words, token_words, words

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_manual_names_every_setting():
    for settings in (EmailConnection, EmailRoute, Attestation):
        for name in settings.model_fields:
            assert f"`{name}`" in README, name


def test_the_manual_explains_what_errors_say():
    source = "".join(Path(one.__file__).read_text() for one in (words, token_words, graph_words))
    for line in README.partition("| it says |")[2].partition("\n\n")[0].splitlines()[2:]:
        said = line.split("|")[1].strip().removesuffix(" X").split(" N")[0]
        assert said in source or said in "It may have arrived", said
