#!/usr/bin/env python3
"""tests/npm/fetch.py FOLDER [LOCK]: puts what LOCK (package-lock.json beside this file) names into FOLDER/node_modules, as `npm ci` would.

Debian's npm brings hundreds of packages with it; node alone does for the tests. Each archive is checked against its integrity hash before it
is unpacked, no script of a package is run, and what is there already stays. To change what is there: edit package.json, then
`npm install --package-lock-only --ignore-scripts --no-omit-lockfile-registry-resolved` in its folder.
"""
import base64
import concurrent.futures
import fcntl
import hashlib
import io
import json
import os
import shutil
import ssl
import sys
import tarfile
import time
import urllib.error
import urllib.request

REGISTRY = "https://registry.npmjs.org/"
MARK = ".integrity"		# in a package's folder: what it was made from
TRIES = 4
# The hashes of the lock prove what comes; whose certificate a proxy on the way shows does not matter.
ANY_CERTIFICATE = ssl._create_unverified_context()


def download(url):
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(url, timeout=60, context=ANY_CERTIFICATE) as answer:
                return answer.read()
        except OSError as e:
            gone = isinstance(e, urllib.error.HTTPError) and e.code < 500 and e.code != 429
            if not left or gone:
                sys.exit("%s: %s" % (url, e))
            time.sleep(TRIES - left)


def check(data, integrity, url):
    algorithm, _, wanted = integrity.partition("-")
    if algorithm != "sha512":
        sys.exit("%s: `%s` is no hash that counts; sha512 does" % (url, algorithm))
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != wanted:
        sys.exit("%s: this is not what package-lock.json means: its hash is another" % url)


def unpack(data, folder):
    """Plain files alone, below the folder; an archive's first folder is called anything."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            name = member.name.split("/", 1)[-1]
            path = os.path.normpath(os.path.join(folder, name))
            if not member.isfile():
                continue
            if not path.startswith(folder + os.sep):
                sys.exit("%s leads out of its folder" % member.name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                shutil.copyfileobj(archive.extractfile(member), f)


def there(folder, integrity):
    try:
        with open(folder + "/" + MARK) as f:
            return f.read() == integrity
    except FileNotFoundError:
        return False


def put(top, path, package):
    url, integrity, folder = package["resolved"], package["integrity"], os.path.join(top, path)
    if not url.startswith(REGISTRY):
        sys.exit("%s: it comes from %s only" % (url, REGISTRY))
    if there(folder, integrity):
        return
    data = download(url)
    check(data, integrity, url)
    # what lies inside of it is a package of its own, and stays
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if name != "node_modules":
            inside = os.path.join(folder, name)
            shutil.rmtree(inside) if os.path.isdir(inside) else os.unlink(inside)
    unpack(data, folder)
    with open(folder + "/" + MARK, "w") as f:
        f.write(integrity)


def main():
    top = os.path.abspath(sys.argv[1])
    lock = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__)) + "/package-lock.json"
    with open(lock) as f:
        packages = {path: p for path, p in json.load(f)["packages"].items() if path}
    os.makedirs(top, exist_ok=True)
    with open(top + "/.lock", "w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(put, top, path, p) for path, p in sorted(packages.items())]:
                done.result()


main()
