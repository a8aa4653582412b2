"""Every error of the libraries below the HTTP kit becomes one of ours, which repeats no secret."""

import json

import pytest
import requests
import urllib3

from connectors.kit.failures import FOREIGN, translated
from governance.errors import ConfigurationError, FeedError, Unavailable, UnexpectedAnswer


def kinds(module, base):
    found = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, base) and v is not Warning]
    return sorted({k for k in found if not issubclass(k, Warning)}, key=lambda k: k.__name__)


class TestForeignErrors:
    @pytest.mark.parametrize("kind", kinds(requests.exceptions, requests.RequestException), ids=lambda k: k.__name__)
    def test_each_of_requests_becomes_one_of_ours(self, kind):
        self.check(kind)

    @pytest.mark.parametrize("kind", kinds(urllib3.exceptions, urllib3.exceptions.HTTPError), ids=lambda k: k.__name__)
    def test_each_of_urllib3_becomes_one_of_ours(self, kind):
        self.check(kind)

    @pytest.mark.parametrize(
        "kind",
        [
            ConnectionResetError,
            TimeoutError,
            BrokenPipeError,
            OSError,
            ValueError,
            RecursionError,
            json.JSONDecodeError,
        ],
        ids=lambda k: k.__name__,
    )
    def test_and_what_lies_below_them(self, kind):
        self.check(kind)

    @staticmethod
    def check(kind):
        foreign = kind.__new__(kind, "https://ada:hunter2@evil.example")
        assert isinstance(foreign, FOREIGN)
        ours = translated(foreign, "wiki: GET /scim/v2/Users", "/scim/v2/Users")
        assert isinstance(ours, FeedError | ConfigurationError)
        assert type(ours) is not FeedError
        assert str(ours).startswith("wiki: GET /scim/v2/Users: ")
        assert "hunter2" not in str(ours)
        if isinstance(ours, UnexpectedAnswer):
            assert ours.path == "/scim/v2/Users"

    def test_ours_stay_as_they_are(self):
        error = Unavailable("x")
        assert translated(error, "place", "/") is error
