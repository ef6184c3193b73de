"""The demo server's page, open in a tab of a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from real_processes import until
from selenium import webdriver
from selenium.webdriver.common.by import By

DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


class Page:
    """A tab with the page."""

    def __init__(self, driver: webdriver.Chrome, server: str) -> None:
        self.driver = driver
        self.server = server
        self.expects_refusals = False

    def open(self, **choice: str | int | float) -> None:
        self.driver.get(f"{self.server}/#{urlencode(choice)}")

    def start(self, **choice: str | int | float) -> None:
        self.open(**choice, start=1)

    def text(self, element_id: str) -> str:
        return str(self.run("return document.getElementById(arguments[0]).textContent", element_id))

    def number(self, element_id: str) -> float:
        return float(self.text(element_id).replace(",", ""))

    def click(self, element_id: str) -> None:
        self.driver.find_element(By.ID, element_id).click()

    def fill(self, element_id: str, text: str) -> None:
        field = self.driver.find_element(By.ID, element_id)
        field.clear()
        field.send_keys(text)

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def emulate(self, command: str, **parameters: object) -> None:
        self.driver.execute_cdp_cmd(command, parameters)

    def rows(self, kind: str) -> list[list[str]]:
        """Type, id and data of the log's entries, oldest first."""
        found: list[list[str]] = self.run(
            "return [...document.querySelectorAll(`#log .${arguments[0]}`)].reverse()"
            ".map((row) => ['type', 'id', 'data'].map((part) => row.querySelector(`.${part}`).textContent))",
            kind,
        )
        return found

    def wait(self, is_so: Callable[[], bool]) -> None:
        try:
            until(is_so)
        except AssertionError:
            page = self.run("return document.body.innerText")
            raise AssertionError(f"it has not come to that:\n{page}") from None

    def wait_for_state(self, state: str) -> str:
        """Return the reason that the page gives for it."""
        self.wait(lambda: self.text("state") == state)
        return self.text("reason")

    def has_drawn_the_stop(self) -> bool:
        """Say whether the figures and the log show all that came before the click on Stop."""
        return self.rows("state")[-1:] == [["closed", "", "stopped here"]]

    def errors(self) -> list[dict[str, Any]]:
        """The entries of the console since the last call; the browser logs statuses over 400 by itself."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry for entry in log if not (self.expects_refusals and "status of 4" in entry["message"])]
