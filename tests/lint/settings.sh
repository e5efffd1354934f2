#!/usr/bin/env bash
# docs/settings.md ends in the table that `hubbub settings` prints.
set -euo pipefail
binary=$1
page=$2
table=$("$binary" settings)
if [ "$(tail -n "$(wc -l <<<"$table")" "$page")" != "$table" ]; then
	echo "docs/settings.md does not end in what 'hubbub settings' prints" >&2
	exit 1
fi
