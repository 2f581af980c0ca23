# SPDX-License-Identifier: MIT
"""The page in a headless Chromium: an image is chosen, and its bars appear; the clean ones in a demonstration alone.

page_test.py HTTP_SERVICE WEIGHTS IMAGE FOLDER
Leaves FOLDER/page.png, a picture of it.
"""

import json
import pathlib
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from running import fetch, expect, service

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--window-size=900,760"]


def shown_bars(browser, address, image):
    """What the page shows of an image: message, then name, defended and clean of each row."""
    browser.get(address)
    browser.find_element(By.ID, "file").send_keys(image)
    WebDriverWait(browser, 20).until(lambda b: b.find_element(By.ID, "message").text)
    rows = browser.find_elements(By.CSS_SELECTOR, "#bars tr")
    return (browser.find_element(By.ID, "message").text,
            [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")] for row in rows])


def main():
    program, weights, image, work = sys.argv[1:]
    body = pathlib.Path(image).read_bytes()
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in FLAGS + [f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        try:
            with service(program, weights, "--defense", "dcp(beta=1.2)") as address:
                message, rows = shown_bars(browser, address, image)
                answer = json.loads(fetch(address + "v1/classify", body)[2])
                expect(message == "It is a shirt.", message)
                expect([row[1] for row in rows] == [f"{p:.4f}" for p in answer["probabilities"]], f"bars are {rows}")
                expect(all(row[2] == "" for row in rows), "a clean bar without --demo")
                expect(not browser.find_element(By.CSS_SELECTOR, "th.clean").is_displayed(), "a clean column")
                message, rows = shown_bars(browser, address, __file__)
                expect(message.startswith("No answer: ") and not rows, f"of a text: {message}")
            with service(program, weights, "--defense", "dcp(beta=1.2)", "--demo") as address:
                message, rows = shown_bars(browser, address.split()[0], image)
                clean = json.loads(fetch(address.split()[0] + "v1/classify?clean=1", body)[2])["clean"]
                expect([row[2] for row in rows] == [f"{p:.4f}" for p in clean], f"clean bars are {rows}")
                expect(max(float(row[1]) for row in rows) < 0.5 < max(float(row[2]) for row in rows), "nothing moved")
                browser.save_screenshot(str(pathlib.Path(work) / "page.png"))
        finally:
            browser.quit()
    print("the page shows defended bars, and clean ones in a demonstration")


if __name__ == "__main__":
    main()
