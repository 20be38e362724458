#include "io/bed.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/text.h"

#define MAX_FIELD 6 /* the rest of the line stays in one more */

void grn_bed_clear(grn_bed_t *b)
{
    free(b->chrom);
    free(b->start);
    free(b->end);
    free(b->label);
    free(b->score);
    free(b->strand);
    grn_names_clear(&b->chroms);
    grn_names_clear(&b->labels);
    memset(b, 0, sizeof *b);
}

static grn_status bed_reserve(grn_bed_t *b, size_t *cap, size_t need)
{
    size_t c = *cap ? *cap * 2 : 1024;
    if (need <= *cap) return GRN_OK;
    if (c < need) c = need;
    uint32_t *chrom = grn_realloc(b->chrom, c, sizeof *chrom);
    if (chrom) b->chrom = chrom;
    uint64_t *start = grn_realloc(b->start, c, sizeof *start);
    if (start) b->start = start;
    uint64_t *end = grn_realloc(b->end, c, sizeof *end);
    if (end) b->end = end;
    uint32_t *label = grn_realloc(b->label, c, sizeof *label);
    if (label) b->label = label;
    float *score = grn_realloc(b->score, c, sizeof *score);
    if (score) b->score = score;
    int8_t *strand = grn_realloc(b->strand, c, sizeof *strand);
    if (strand) b->strand = strand;
    if (!chrom || !start || !end || !label || !score || !strand) return GRN_ENOMEM;
    *cap = c;
    return GRN_OK;
}

/* Fields by tab; by runs of blanks where the line has no tab. */
static size_t split_fields(char *line, char **field, size_t max)
{
    if (strchr(line, '\t')) return grn_split(line, '\t', field, max);
    size_t n = 0;
    char *save = NULL;
    for (char *p = strtok_r(line, " ", &save); p && n < max; p = strtok_r(NULL, " ", &save)) field[n++] = p;
    return n;
}

static int whole_u64(const char *s, uint64_t *v)
{
    return grn_scan_u64(&s, v) && *s == 0;
}

static grn_status add_record(grn_bed_t *b, size_t *cap, char **f, size_t n, uint64_t start, uint64_t end)
{
    grn_status rc = GRN_OK;
    size_t chrom, label = UINT32_MAX, i = b->n;
    double score = NAN;
    GRN_TRY(bed_reserve(b, cap, i + 1));
    GRN_TRY(grn_names_add(&b->chroms, f[0], &chrom, NULL));
    if (n > 3 && f[3][0] && strcmp(f[3], ".") != 0) GRN_TRY(grn_names_add(&b->labels, f[3], &label, NULL));
    if (n > 4) {
        const char *p = f[4];
        if (!grn_scan_f64(&p, &score) || *p) score = NAN;
    }
    b->chrom[i] = (uint32_t)chrom;
    b->start[i] = start;
    b->end[i] = end;
    b->label[i] = (uint32_t)label;
    b->score[i] = (float)score;
    b->strand[i] = n <= 5 ? 0 : !strcmp(f[5], "+") ? 1 : !strcmp(f[5], "-") ? -1 : 0;
    b->n++;
end:
    return rc;
}

grn_status grn_bed_load(const char *path, grn_bed_t *b)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    char *line, *f[MAX_FIELD + 1];
    size_t cap = 0;
    int got, may_be_header = 1;
    GRN_TRY(grn_text_open(&t, path));
    while ((got = grn_text_next(t, &line, NULL)) > 0) {
        uint64_t start, end;
        if (!line[0] || line[0] == '#' || !strncmp(line, "track", 5) || !strncmp(line, "browser", 7)) continue;
        size_t n = split_fields(line, f, MAX_FIELD + 1);
        if (n < 3) {
            rc = grn_text_fail(t, GRN_EFORMAT, "%zu column%s, BED has at least 3 (chromosome, start, end)", n, n == 1 ? "" : "s");
            goto end;
        }
        int is_number = whole_u64(f[1], &start);
        if (!is_number && may_be_header && !whole_u64(f[2], &end)) {
            may_be_header = 0;
            continue;
        }
        may_be_header = 0;
        if (!is_number || !whole_u64(f[2], &end)) {
            rc = grn_text_fail(t, GRN_EFORMAT, "'%s', '%s' are not a start and an end", f[1], f[2]);
            goto end;
        }
        if (end <= start) {
            rc = grn_text_fail(t, GRN_EFORMAT, "end %" PRIu64 " is not behind start %" PRIu64, end, start);
            goto end;
        }
        GRN_TRY(add_record(b, &cap, f, n, start, end));
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_text_close(t);
    if (rc) grn_bed_clear(b);
    return rc;
}

/* ---- region sets ---- */

void grn_regions_clear(grn_regions_t *r)
{
    grn_names_clear(&r->names);
    grn_names_clear(&r->chroms);
    free(r->chrom);
    free(r->start);
    free(r->end);
    free(r->order);
    free(r->chrom_off);
    free(r->sorted_start);
    free(r->tree);
    free(r->tree_off);
    memset(r, 0, sizeof *r);
}

static int by_place(const void *a, const void *b, void *ctx)
{
    const grn_regions_t *r = ctx;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (r->chrom[i] != r->chrom[j]) return r->chrom[i] < r->chrom[j] ? -1 : 1;
    if (r->start[i] != r->start[j]) return r->start[i] < r->start[j] ? -1 : 1;
    if (r->end[i] != r->end[j]) return r->end[i] < r->end[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

/* Leaves of the tree of n places: the next power of two. Node k has children 2k and 2k + 1; leaves start at n_leaf. */
static uint64_t n_leaves(uint64_t n)
{
    uint64_t m = 1;
    while (m < n) m *= 2;
    return m;
}

static grn_status build_index(grn_regions_t *r)
{
    grn_status rc = GRN_OK;
    size_t n_chrom = r->chroms.n;
    GRN_TRY(GRN_NEW_RAW(r->order, r->n));
    GRN_TRY(GRN_NEW_RAW(r->sorted_start, r->n));
    GRN_TRY(GRN_NEW(r->chrom_off, n_chrom + 1));
    GRN_TRY(GRN_NEW(r->tree_off, n_chrom + 1));
    for (size_t i = 0; i < r->n; i++) r->order[i] = (uint32_t)i;
    if (r->n) qsort_r(r->order, r->n, sizeof *r->order, by_place, r);
    for (size_t i = 0; i < r->n; i++) r->chrom_off[r->chrom[i] + 1]++;
    for (size_t c = 0; c < n_chrom; c++) {
        uint64_t n = r->chrom_off[c + 1];
        r->chrom_off[c + 1] += r->chrom_off[c];
        r->tree_off[c + 1] = r->tree_off[c] + 2 * n_leaves(n);
    }
    GRN_TRY(GRN_NEW(r->tree, r->tree_off[n_chrom]));
    for (size_t c = 0; c < n_chrom; c++) {
        uint64_t lo = r->chrom_off[c], n = r->chrom_off[c + 1] - lo, m = n_leaves(n), *tree = r->tree + r->tree_off[c];
        for (uint64_t k = 0; k < n; k++) {
            r->sorted_start[lo + k] = r->start[r->order[lo + k]];
            tree[m + k] = r->end[r->order[lo + k]];
        }
        for (uint64_t k = m; --k > 0;) tree[k] = tree[2 * k] > tree[2 * k + 1] ? tree[2 * k] : tree[2 * k + 1];
    }
end:
    return rc;
}

static grn_status regions_alloc(grn_regions_t *r, size_t n)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW_RAW(r->chrom, n));
    GRN_TRY(GRN_NEW_RAW(r->start, n));
    GRN_TRY(GRN_NEW_RAW(r->end, n));
end:
    return rc;
}

static grn_status put_u64(grn_str_t *s, char sep, uint64_t v)
{
    char buf[24], *p = buf + sizeof buf;
    do *--p = (char)('0' + v % 10);
    while (v /= 10);
    *--p = sep;
    return grn_str_add(s, p, (size_t)(buf + sizeof buf - p));
}

grn_status grn_regions_from_bed(const grn_bed_t *b, grn_regions_t *r)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    GRN_TRY(regions_alloc(r, b->n));
    GRN_TRY(grn_names_dup(&r->chroms, &b->chroms));
    for (size_t i = 0; i < b->n; i++) {
        int is_new;
        name.n = 0;
        GRN_TRY(grn_str_puts(&name, grn_names_get(&b->chroms, b->chrom[i])));
        GRN_TRY(put_u64(&name, ':', b->start[i]));
        GRN_TRY(put_u64(&name, '-', b->end[i]));
        GRN_TRY(grn_names_add(&r->names, name.s, NULL, &is_new));
        if (!is_new) {
            r->n_duplicate++;
            continue;
        }
        r->chrom[r->n] = b->chrom[i];
        r->start[r->n] = b->start[i];
        r->end[r->n++] = b->end[i];
    }
    GRN_TRY(build_index(r));
end:
    grn_str_clear(&name);
    if (rc) grn_regions_clear(r);
    return rc;
}

grn_status grn_regions_load(const char *path, grn_regions_t *r)
{
    grn_bed_t b = { 0 };
    grn_status rc = grn_bed_load(path, &b);
    if (!rc) rc = grn_regions_from_bed(&b, r);
    grn_bed_clear(&b);
    return rc;
}

static const char *digits_before(const char *begin, const char *end)
{
    while (end > begin && end[-1] >= '0' && end[-1] <= '9') end--;
    return end;
}

/* "chrom:start-end", "chrom-start-end" or "chrom_start_end", from the right: a chromosome name may hold any of the signs. */
static int parse_region_name(const char *s, size_t *chrom_n, uint64_t *start, uint64_t *end)
{
    const char *e = digits_before(s, s + strlen(s));
    if (e - s < 4 || (e[-1] != '-' && e[-1] != '_') || !whole_u64(e, end)) return 0;
    const char *p = digits_before(s, e - 1);
    if (p == e - 1 || p - s < 2 || !(p[-1] == e[-1] || (p[-1] == ':' && e[-1] == '-'))) return 0;
    *chrom_n = (size_t)(p - 1 - s);
    return grn_scan_u64(&p, start) && p == e - 1 && *end > *start;
}

static int same_interval(const grn_regions_t *r, uint32_t i, uint32_t j)
{
    return r->chrom[i] == r->chrom[j] && r->start[i] == r->start[j] && r->end[i] == r->end[j];
}

grn_status grn_regions_from_names(const grn_names_t *names, grn_regions_t *r)
{
    grn_status rc = GRN_OK;
    GRN_TRY(regions_alloc(r, names->n));
    GRN_TRY(grn_names_dup(&r->names, names));
    for (size_t i = 0; i < names->n; i++) {
        const char *s = grn_names_get(names, i);
        size_t chrom_n, chrom;
        if (!parse_region_name(s, &chrom_n, &r->start[i], &r->end[i]))
            GRN_FAIL(GRN_EFORMAT, "'%s' (number %zu) is not a region of the form chrom:start-end", s, i + 1);
        GRN_TRY(grn_names_add_n(&r->chroms, s, chrom_n, &chrom, NULL));
        r->chrom[i] = (uint32_t)chrom;
    }
    r->n = names->n;
    GRN_TRY(build_index(r));
    for (size_t k = 1; k < r->n; k++)
        if (same_interval(r, r->order[k - 1], r->order[k]))
            GRN_FAIL(GRN_EFORMAT, "'%s' and '%s' are the same region", grn_names_get(names, r->order[k - 1]),
                     grn_names_get(names, r->order[k]));
end:
    if (rc) grn_regions_clear(r);
    return rc;
}

typedef struct { /* one query */
    const uint64_t *tree;
    const uint32_t *order; /* of the chromosome */
    uint64_t start, n_below; /* places below n_below start in front of the query's end */
    uint32_t *out;
    size_t cap, n;
} query_t;

/* Reports the places of the subtree `node` = places [lo, lo + width) that end behind the query's start. */
static void walk(query_t *q, uint64_t node, uint64_t lo, uint64_t width)
{
    if (lo >= q->n_below || q->tree[node] <= q->start) return;
    if (width == 1) {
        if (q->n < q->cap) q->out[q->n] = q->order[lo];
        q->n++;
        return;
    }
    walk(q, 2 * node, lo, width / 2);
    walk(q, 2 * node + 1, lo + width / 2, width / 2);
}

size_t grn_regions_overlap(const grn_regions_t *r, size_t chrom, uint64_t start, uint64_t end, uint32_t *out, size_t cap)
{
    if (chrom >= r->chroms.n || end <= start) return 0;
    uint64_t lo = r->chrom_off[chrom], n = r->chrom_off[chrom + 1] - lo, a = 0, b = n;
    while (a < b) { /* first place that starts at or behind the end */
        uint64_t mid = a + (b - a) / 2;
        if (r->sorted_start[lo + mid] < end) a = mid + 1;
        else b = mid;
    }
    query_t q = { r->tree + r->tree_off[chrom], r->order + lo, start, a, out, cap, 0 };
    if (a) walk(&q, 1, 0, n_leaves(n));
    return q.n;
}
