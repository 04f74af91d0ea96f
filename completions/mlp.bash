# SPDX-License-Identifier: Apache-2.0
# bash completion for mlp; mlp itself knows the candidates.
_mlp()
{
	local line=${COMP_LINE:0:COMP_POINT} cur='' item value prefix='' breaks
	local -a words
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=('')
	((${#words[@]} > 1)) && cur=${words[-1]}
	# What readline took off the word at ':' and '=' it wants left out here as well.
	breaks=${COMP_WORDBREAKS//[^:=]/}
	if [[ -n $breaks && $cur == *[$breaks]* ]]; then
		prefix=${cur%"${cur##*["$breaks"]}"}
	fi
	COMPREPLY=()
	while IFS= read -r item; do
		value=${item%%$'\t'*}
		case $value in
		:file) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "${cur#"$prefix"}")
			compopt -o filenames ;;
		:dir) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "${cur#"$prefix"}")
			compopt -o filenames ;;
		:program) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -c -- "$cur") ;;
		*[=:/]) compopt -o nospace
			COMPREPLY+=("${value#"$prefix"}") ;;
		*) COMPREPLY+=("${value#"$prefix"}") ;;
		esac
	done < <("${words[0]:-mlp}" completion-data -- "${words[@]:1}" 2>/dev/null)
}
complete -F _mlp mlp
