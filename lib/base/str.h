/* Growable strings and strict, locale-independent number parsing. A zeroed grn_str_t is a valid
 * empty string; s is always NUL-terminated once anything was appended; n excludes the NUL. */
#ifndef GRN_BASE_STR_H
#define GRN_BASE_STR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct {
    char *s;
    size_t n, cap;
} grn_str_t;

grn_status grn_str_add(grn_str_t *b, const char *s, size_t n) GRN_MUST_USE; /* n bytes of s */
grn_status grn_str_puts(grn_str_t *b, const char *s) GRN_MUST_USE;
grn_status grn_str_printf(grn_str_t *b, const char *fmt, ...) GRN_PRINTF(2, 3) GRN_MUST_USE;
void grn_str_clear(grn_str_t *b); /* frees; the object is empty and reusable */

/* Whole-string parsers: GRN_OK only if all of s is one number in range, else GRN_EFORMAT with a
 * message naming s. Decimal only; leading '+' allowed for f64; no spaces; "nan" and "inf" are
 * refused unless the _any form is used. */
grn_status grn_parse_i64(const char *s, int64_t *out) GRN_MUST_USE;
grn_status grn_parse_f64(const char *s, double *out) GRN_MUST_USE;
grn_status grn_parse_f64_any(const char *s,
                             double *out) GRN_MUST_USE; /* also nan, inf, -inf, NA (-> NaN) */
/* "8G", "512M", "64k", "1000": bytes, powers of 1024. */
grn_status grn_parse_size(const char *s, uint64_t *out) GRN_MUST_USE;

/* Shortest decimal that reads back to the same float (17 significant digits for double at most);
 * "nan", "inf", "-inf" spelled so. buf holds at least 32 bytes; returns buf. Locale independent. */
char *grn_fmt_f32(char *buf, float x);
char *grn_fmt_f64(char *buf, double x);

/* Splits a line in place at `sep`, at most `max` fields: pointers into line. Returns the number of
 * fields (1 for an empty line). With more than max fields, the rest stays in the last one. */
size_t grn_split(char *line, char sep, char **field, size_t max);

int grn_str_ends(const char *s, const char *suffix); /* 1 or 0 */

#endif
