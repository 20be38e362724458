#include "model/split.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MIN_VALIDATION_DONORS = 5 };
static const char *const BY[] = { "auto", "cell", "donor" };

void grn_split_clear(grn_split_t *s)
{
    grn_names_clear(&s->test_donors);
    grn_names_clear(&s->validation_donors);
    free(s->part);
    *s = (grn_split_t){ 0 };
}

static double number_of(uint64_t seed, const char *name)
{
    return (double)(grn_rng_key(seed, "model.split", grn_hash_str(name), 0) >> 11) * 0x1p-53;
}

typedef struct {
    double x;
    const char *name;
} numbered_t;

static int compare_numbered(const void *x, const void *y)
{
    const numbered_t *a = x, *b = y;
    if (a->x != b->x) return a->x < b->x ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Shares of n donors: at least one for test and validation, at least one left. */
static size_t share(double frac, size_t n)
{
    size_t k = (size_t)(frac * (double)n + 0.5);
    return frac <= 0 ? 0 : k == 0 ? 1 : k;
}

/* Donors that occur, ordered by their numbers -> the first are test, the next validation. */
static grn_status pick_donors(grn_split_t *s, const grn_attr_t *donor, size_t n_cells)
{
    grn_status rc = GRN_OK;
    numbered_t *d = NULL;
    uint8_t *seen = NULL;
    size_t n = 0, n_test, n_val;
    GRN_TRY(GRN_NEW(seen, donor->levels.n));
    GRN_TRY(GRN_NEW(d, donor->levels.n));
    for (size_t c = 0; c < n_cells; c++) {
        if (donor->code[c] >= 0) seen[donor->code[c]] = 1;
    }
    for (size_t k = 0; k < donor->levels.n; k++) {
        const char *name = grn_names_get(&donor->levels, k);
        if (seen[k]) d[n++] = (numbered_t){ number_of(s->seed, name), name };
    }
    qsort(d, n, sizeof *d, compare_numbered);
    n_test = share(s->test, n);
    n_val = n >= MIN_VALIDATION_DONORS ? share(s->validation, n) : 0;
    if (n < 2 || n_test + n_val >= n) {
        GRN_FAIL(GRN_EINVAL, "%zu donors cannot be split into train, validation (%g) and test (%g)", n, s->validation,
                 s->test);
    }
    for (size_t i = 0; i < n_test + n_val; i++)
        GRN_TRY(grn_names_add(i < n_test ? &s->test_donors : &s->validation_donors, d[i].name, NULL, NULL));
end:
    free(seen);
    free(d);
    return rc;
}

static grn_part part_of_donor(const grn_split_t *s, const grn_attr_t *donor, size_t c, const char *barcode)
{
    const char *name = donor->code[c] >= 0 ? grn_names_get(&donor->levels, (size_t)donor->code[c]) : NULL;
    if (!name) return GRN_PART_TRAIN;
    if (grn_names_find(&s->test_donors, name) != GRN_NAMES_NONE) return GRN_PART_TEST;
    if (s->validation_donors.n == 0)
        return number_of(s->seed, barcode) < s->validation ? GRN_PART_VALIDATION : GRN_PART_TRAIN;
    return grn_names_find(&s->validation_donors, name) != GRN_NAMES_NONE ? GRN_PART_VALIDATION : GRN_PART_TRAIN;
}

static grn_part part_of_cell(const grn_split_t *s, const char *barcode)
{
    double x = number_of(s->seed, barcode);
    return x < s->test ? GRN_PART_TEST : x < s->test + s->validation ? GRN_PART_VALIDATION : GRN_PART_TRAIN;
}

static const grn_attr_t *find_donors(const grn_matrix_t *m)
{
    const grn_attr_t *a = grn_attr_find(&m->row_attr, "donor");
    return a && a->code ? a : NULL;
}

static grn_status assign_parts(grn_split_t *s, const grn_matrix_t *m)
{
    const grn_attr_t *donor = find_donors(m);
    if (s->by == GRN_SPLIT_DONOR && !donor)
        return grn_err(GRN_EINVAL, "the split is by donor and the cells have no donors (give --donor)");
    if (GRN_NEW(s->part, m->row.n) != GRN_OK) return GRN_ENOMEM;
    memset(s->n, 0, sizeof s->n);
    for (size_t c = 0; c < m->row.n; c++) {
        const char *barcode = grn_names_get(&m->row, c);
        grn_part p = s->by == GRN_SPLIT_DONOR ? part_of_donor(s, donor, c, barcode) : part_of_cell(s, barcode);
        s->part[c] = (uint8_t)p;
        s->n[p]++;
    }
    return GRN_OK;
}

static int count_donors(const grn_attr_t *donor, size_t n_cells)
{
    int n = 0;
    for (size_t k = 0; donor && k < donor->levels.n; k++) {
        for (size_t c = 0; c < n_cells; c++) {
            if (donor->code[c] == (int32_t)k) {
                n++;
                break;
            }
        }
    }
    return n;
}

grn_status grn_split_build(grn_split_t *s, const grn_matrix_t *m, grn_split_by by, uint64_t seed, double test,
                           double validation)
{
    grn_status rc = GRN_OK;
    const grn_attr_t *donor = find_donors(m);
    *s = (grn_split_t){ .by = by, .seed = seed, .test = test, .validation = validation };
    if (by == GRN_SPLIT_AUTO) s->by = count_donors(donor, m->row.n) >= 3 ? GRN_SPLIT_DONOR : GRN_SPLIT_CELL;
    if (s->by == GRN_SPLIT_DONOR) {
        if (!donor) GRN_FAIL(GRN_EINVAL, "the split is by donor and the cells have no donors (give --donor)");
        GRN_TRY(pick_donors(s, donor, m->row.n));
    }
    GRN_TRY(assign_parts(s, m));
    if (s->n[GRN_PART_TRAIN] == 0) GRN_FAIL(GRN_EEMPTY, "no cell is left to train on (of %zu)", m->row.n);
end:
    if (rc != GRN_OK) grn_split_clear(s);
    return rc;
}

static json_t *names_json(const grn_names_t *d)
{
    json_t *a = json_array();
    for (size_t i = 0; i < d->n; i++) json_array_append_new(a, json_string(grn_names_get(d, i)));
    return a;
}

grn_status grn_split_json(const grn_split_t *s, char **out)
{
    char seed[24];
    json_t *o;
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)s->seed);
    o = json_pack("{s:s, s:s, s:f, s:f, s:o, s:o}", "by", BY[s->by], "seed", seed, "test", s->test, "validation",
                  s->validation, "test_donors", names_json(&s->test_donors), "validation_donors",
                  names_json(&s->validation_donors));
    *out = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(o);
    return *out ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory writing the split (or a donor's name is not UTF-8)");
}

static grn_status read_names(const json_t *a, grn_names_t *d)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < json_array_size(a); i++) {
        const char *name = json_string_value(json_array_get(a, i));
        if (!name) GRN_FAIL(GRN_EFORMAT, "the split of the model has a donor that is not a string");
        GRN_TRY(grn_names_add(d, name, NULL, NULL));
    }
end:
    return rc;
}

grn_status grn_split_apply(grn_split_t *s, const char *json, const grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    const char *by, *seed;
    json_t *o = json ? json_loads(json, 0, NULL) : NULL, *test_d, *val_d;
    *s = (grn_split_t){ 0 };
    if (!o || json_unpack(o, "{s:s, s:s, s:F, s:F, s:o, s:o}", "by", &by, "seed", &seed, "test", &s->test, "validation",
                          &s->validation, "test_donors", &test_d, "validation_donors", &val_d) != 0) {
        GRN_FAIL(GRN_EFORMAT, "the model does not say which cells it was trained on ('split' in its metadata)");
    }
    s->by = strcmp(by, "donor") == 0 ? GRN_SPLIT_DONOR : GRN_SPLIT_CELL;
    s->seed = strtoull(seed, NULL, 10);
    GRN_TRY(read_names(test_d, &s->test_donors));
    GRN_TRY(read_names(val_d, &s->validation_donors));
    GRN_TRY(assign_parts(s, m));
end:
    json_decref(o);
    if (rc != GRN_OK) grn_split_clear(s);
    return rc;
}

grn_status grn_split_cells(const grn_split_t *s, const grn_matrix_t *m, grn_part part, uint32_t **cell, size_t *n)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    *cell = NULL;
    *n = 0;
    GRN_TRY(GRN_NEW_RAW(order, m->row.n));
    GRN_TRY(GRN_NEW_RAW(*cell, m->row.n));
    GRN_TRY(grn_names_sort(&m->row, order));
    for (size_t k = 0; k < m->row.n; k++) {
        if (s->part[order[k]] == part) (*cell)[(*n)++] = order[k];
    }
end:
    free(order);
    return rc;
}
