#!/bin/bash
# picture.sh: makes docs/mail.png anew: a shipped mail at 600 px in light mode, and at 360 px in dark mode beside it.
#
#	docs/picture.sh [OUT]
#
# Needs chromium and pngquant (apt-get install chromium pngquant) and a build (make). BUILD names another folder than build/. Chromium takes the
# dark mode of a frame from its color-scheme, so both modes are one page and one shot.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$(realpath -m "${1:-docs/mail.png}")
mail=templates/emails/ebook-delivery.liquid
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"${BUILD:-build}/nurturectl" template render --data docs/person.json "$mail" >"$dir/mail.html"
cat >"$dir/page.html" <<'HTML'
<!DOCTYPE html>
<meta charset="utf-8">
<style>
html { background: #fff; }
body { margin: 0; padding: 24px; display: flex; gap: 24px; align-items: flex-start; }
iframe { border: 1px solid #d5dae3; border-radius: 12px; display: block; }
</style>
<iframe src="mail.html" width="600" height="1060" style="color-scheme: light"></iframe>
<iframe src="mail.html" width="360" height="1060" style="color-scheme: dark"></iframe>
HTML
chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars --allow-file-access-from-files \
	--user-data-dir="$dir/profile" --window-size=1036,1110 --screenshot="$dir/shot.png" "file://$dir/page.html" 2>"$dir/log" ||
	{ cat "$dir/log" >&2; exit 1; }
[[ -s $dir/shot.png ]] || { cat "$dir/log" >&2; exit 1; }
pngquant --force --strip --quality 85-98 --output "$out" "$dir/shot.png"
echo "$out: $(stat -c %s "$out") bytes"
