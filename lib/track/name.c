/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/track/name.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/util/cleanup.h"
#include "lib/util/xalloc.h"

static const char *const adjectives[] = {
	"able",	  "agile",  "amber", "brave",  "brisk", "broad",  "calm",   "candid", "clear",
	"clever", "cosy",   "crisp", "deft",   "eager", "early",  "fair",   "fleet",  "fond",
	"frank",  "fresh",  "gentle", "glad",  "golden", "grand", "green",  "happy",  "hardy",
	"honest", "humble", "jolly", "keen",   "kind",	"lively", "loyal",  "lucid",  "lucky",
	"mellow", "merry",  "mild",  "modest", "neat",	"nimble", "noble",  "patient", "plain",
	"polite", "proud",  "quick", "quiet",  "rapid", "ready",  "robust", "silent", "silver",
	"steady", "sunny",  "swift", "tidy",   "tough", "vivid",  "warm",   "wise",   "witty",
	"young",
};

static const char *const animals[] = {
	"badger", "beaver", "bison",  "bittern", "bream",   "buzzard", "carp",	 "crane",
	"curlew", "deer",   "dove",   "dunlin",	 "eagle",   "egret",   "eider",	 "elk",
	"falcon", "ferret", "finch",  "fox",	 "gannet",  "goose",   "grebe",	 "gull",
	"hare",	  "hawk",   "heron",  "ibex",	 "ibis",    "jackdaw", "kestrel", "kite",
	"lapwing", "lark",  "linnet", "lynx",	 "magpie",  "marten",  "merlin", "mole",
	"moose",  "newt",   "osprey", "otter",	 "owl",	    "perch",   "pike",	 "plover",
	"puffin", "quail",  "raven",  "robin",	 "salmon",  "seal",    "shrew",	 "snipe",
	"stoat",  "stork",  "swan",   "swift",	 "teal",    "trout",   "vole",	 "wren",
};

char *name_generate(void)
{
	uint32_t r[3] = { 0 };

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		abort();
	return xasprintf("%s-%s-%03u", adjectives[r[0] % ARRAY_SIZE(adjectives)],
			 animals[r[1] % ARRAY_SIZE(animals)], r[2] % 1000);
}
