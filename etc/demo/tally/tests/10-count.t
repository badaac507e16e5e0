# The totals.
is "empty input" "0 0 0" "$($TALLY </dev/null)"
is "one line" "1 2 12" "$(echo "hello world" | $TALLY)"
is "last line without a newline" "2 2 3" "$(printf 'a\nb' | $TALLY)"
is "runs of blanks separate words" "1 3 12" "$(printf ' a\t\tb   c  \n' | $TALLY)"
is "empty lines count as lines" "3 0 3" "$(printf '\n\n\n' | $TALLY)"
is "a NUL byte is part of a word" "1 1 4" "$(printf 'a\0b\n' | $TALLY)"
is "-l prints lines only" "2" "$(printf 'a b\nc\n' | $TALLY -l)"
printf 'x y\n' >"$tmp/f"
is "a file is named" "1 2 4 $tmp/f" "$($TALLY "$tmp/f")"
is "the rest is counted when a file is missing" "1 2 4 $tmp/f" \
    "$($TALLY "$tmp/none" "$tmp/f" 2>/dev/null)"
exits "a missing file is an error" 1 $TALLY "$tmp/none"
exits "an unknown option is refused" 2 $TALLY -z
