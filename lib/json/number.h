/* SPDX-License-Identifier: Apache-2.0 */
/* JSON numbers as doubles, correctly rounded and faster than strtod() for what programs
 * print: up to 19 digits. */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include <stdbool.h>

/* Reads the number at *p and moves *p behind it; false when there is none (JSON's grammar:
 * no leading '+', zero or point).  Too large a number is Infinity. */
bool json_scan_number(const char **p, const char *end, double *out);
/* The same for NaN and Infinity as programs print them: "NaN", "nan", "Infinity", "inf",
 * with or without a minus. */
bool json_scan_special(const char **p, const char *end, double *out);

#endif
