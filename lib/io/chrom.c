#include "io/chrom.h"

#include <stdio.h>
#include <string.h>

#define MAX_NAME 256 /* longer names are only matched exactly */

static int is_mito(const char *s)
{
    return !strcmp(s, "chrM") || !strcmp(s, "chrMT") || !strcmp(s, "M") || !strcmp(s, "MT");
}

static size_t find_other_spelling(const grn_names_t *d, const char *name)
{
    static const char *mito[] = { "chrM", "MT", "M", "chrMT" };
    char buf[MAX_NAME + 4];
    if (is_mito(name)) {
        for (size_t i = 0; i < sizeof mito / sizeof *mito; i++) {
            size_t k = grn_names_find(d, mito[i]);
            if (k != GRN_NAMES_NONE) return k;
        }
        return GRN_NAMES_NONE;
    }
    if (!strncmp(name, "chr", 3)) return name[3] ? grn_names_find(d, name + 3) : GRN_NAMES_NONE;
    snprintf(buf, sizeof buf, "chr%s", name);
    return grn_names_find(d, buf);
}

size_t grn_chrom_find(const grn_names_t *d, const char *name, int *renamed)
{
    if (renamed) *renamed = 0;
    size_t k = grn_names_find(d, name);
    if (k != GRN_NAMES_NONE || strlen(name) > MAX_NAME) return k;
    k = find_other_spelling(d, name);
    if (renamed && k != GRN_NAMES_NONE) *renamed = 1;
    return k;
}

size_t grn_chrom_find_n(const grn_names_t *d, const char *name, size_t n, int *renamed)
{
    char buf[MAX_NAME + 1];
    if (renamed) *renamed = 0;
    if (n > MAX_NAME) return GRN_NAMES_NONE;
    memcpy(buf, name, n);
    buf[n] = 0;
    return grn_chrom_find(d, buf, renamed);
}

char *grn_names_show(const grn_names_t *d, size_t max, char *buf, size_t cap)
{
    size_t at = 0;
    buf[0] = 0;
    for (size_t i = 0; i < d->n && i < max; i++) {
        int k = snprintf(buf + at, cap - at, "%s%s", i ? ", " : "", grn_names_get(d, i));
        if (k < 0 || (size_t)k >= cap - at) break;
        at += (size_t)k;
    }
    if (d->n > max && at < cap) snprintf(buf + at, cap - at, ", ... (%zu in all)", d->n);
    return buf;
}
