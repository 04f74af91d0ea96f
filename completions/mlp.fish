# SPDX-License-Identifier: Apache-2.0
# fish completion for mlp; mlp itself knows the candidates.
function __mlp_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l cur (commandline -ct)
	for item in ($words[1] completion-data -- $words[2..-1] 2>/dev/null)
		switch $item
			case ':file'
				__fish_complete_path $cur
			case ':dir'
				__fish_complete_directories $cur
			case ':program'
				__fish_complete_command
			case '*'
				echo $item
		end
	end
end
complete -c mlp -f -a '(__mlp_complete)'
