#!/bin/bash
# demo.sh: the story of `make demo` goes as told, on the shipped conf/ and templates/, and ends by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
DEMO=once tests/demo/demo.sh
