"""What tests/npm/fetch.py fetched."""
import os

from world import TOP, check

FOLDER = TOP + "/build/npm/node_modules"


def path(package):
    """The folder of a package; `make deps` puts it there."""
    folder = FOLDER + "/" + package
    check(os.path.isdir(folder), "%s is not there; run `make deps`" % folder)
    return folder


def environment():
    """For node, so that require() finds them."""
    path("")
    return dict(os.environ, NODE_PATH=FOLDER)
