#!/usr/bin/env bash
# Runs an outside checker over the tree.
#
#   check.sh format|shell|tidy BUILD_DIR
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

case $1 in
format)
	find src include tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror
	;;
shell)
	shellcheck dev .ci/run tests/lint/*.sh
	;;
tidy)
	# The build's flags are gcc's, and its warnings are judged by the compilers, not here.
	find src -name '*.c' -print0 |
		xargs -0 -n 8 -P "$(nproc)" clang-tidy --quiet -p "$2" --extra-arg=-Wno-everything
	;;
*)
	echo "there is no check $1" >&2
	exit 1
	;;
esac
