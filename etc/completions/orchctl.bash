# Completion of orchctl(8) for bash.  Copyright (c) 2026 The orchd authors.
# ISC licence, see LICENSE.

_orchctl_tasks()
{
	orchctl -j status 2>/dev/null |
	    sed -n 's/"id"[[:space:]]*:[[:space:]]*"\([A-Za-z0-9-]*\)"/\n\1\n/gp' |
	    grep -E '^[A-Z][A-Z0-9]*-[0-9]+(-f[0-9]+)?$'
}

_orchctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local verbs='alert approve cancel check confirm depend doctor effect event gate history job lease log queue reject reload restart resume retry show shutdown status submit watch why'
	local verb='' i

	case $prev in
	-s|-F)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-c|-m|-n|-p|-r|-t)
		return
		;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s)	((i++)) ;;
		-*)	;;
		*)	verb=${COMP_WORDS[i]}; break ;;
		esac
	done
	case $verb in
	'')
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
		;;
	approve|cancel|confirm|depend|gate|history|job|log|reject|retry|show|submit|watch|why)
		mapfile -t COMPREPLY < <(compgen -W "$(_orchctl_tasks)" -- "$cur")
		;;
	effect)
		mapfile -t COMPREPLY < <(compgen -W "settle $(_orchctl_tasks)" -- "$cur")
		;;
	event)
		mapfile -t COMPREPLY < <(compgen -W "replay show" -- "$cur")
		;;
	doctor)
		mapfile -t COMPREPLY < <(compgen -W "remote" -- "$cur")
		;;
	resume)
		mapfile -t COMPREPLY < <(compgen -W "deploy merge" -- "$cur")
		;;
	lease)
		mapfile -t COMPREPLY < <(compgen -W "release $(_orchctl_tasks)" -- "$cur")
		;;
	esac
}

complete -F _orchctl orchctl
