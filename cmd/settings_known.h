/* SPDX-License-Identifier: Apache-2.0 */
/* The settings mlp reads, for completion; mlp-config(1) describes them. */
#ifndef CMD_SETTINGS_KNOWN_H
#define CMD_SETTINGS_KNOWN_H

#include <stddef.h>

struct setting_known {
	const char *key;
	const char *help;
};

extern const struct setting_known settings_known[];
extern const size_t settings_known_count;

#endif
