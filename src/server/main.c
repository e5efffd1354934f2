/*
 * hubbub: self-hosted team chat in one binary.
 */
#include "hubbub/chores.h"
#include "hubbub/server.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct config cfg = {0};
	struct buf text = {0};
	int verb = config_load(&cfg, argc, argv, &text);
	int status = EXIT_SUCCESS;

	if (verb < 0) {
		fprintf(stderr, "hubbub: %.*s\n", (int)text.len, text.p);
		status = 2;
	} else if (verb == CONFIG_SERVE) {
		log_set_level(cfg.log_level);
		status = server_run(&cfg, argc, argv);
		config_deinit(&cfg);
	} else if (verb == CONFIG_CHECK) {
		status = server_check(&cfg) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		config_deinit(&cfg);
	} else if (verb == CONFIG_BACKUP || verb == CONFIG_RESTORE || verb == CONFIG_CHECK_DATA) {
		status = verb == CONFIG_BACKUP    ? chore_backup(&cfg)
			 : verb == CONFIG_RESTORE ? chore_restore(&cfg)
						  : chore_check(&cfg);
		config_deinit(&cfg);
	} else if (verb == CONFIG_USER || verb == CONFIG_INVITE || verb == CONFIG_AUDIT) {
		status = chore_people(&cfg, (enum config_verb)verb);
		config_deinit(&cfg);
	} else {
		fwrite(text.p, 1, text.len, stdout);
	}
	buf_deinit(&text);
	return status;
}
