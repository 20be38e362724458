#include "regionset.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/chrom.h"
#include "io/gmt.h"
#include "tfsites.h"

void grn_regionset_clear(grn_regionset_t *x)
{
    free(x->name);
    free(x->path);
    grn_regions_clear(&x->region);
    grn_names_clear(&x->items);
    free(x->pair);
    free(x->col);
    *x = (grn_regionset_t){ 0 };
}

void grn_regionsets_clear(grn_regionsets_t *s)
{
    for (size_t i = 0; i < s->n; i++) grn_regionset_clear(&s->v[i]);
    free(s->v);
    grn_names_clear(&s->families);
    grn_names_clear(&s->names);
    *s = (grn_regionsets_t){ 0 };
}

/* ---- reading ---- */

static int is_bed(const char *file)
{
    return file[0] != '.' && (grn_str_ends(file, ".bed") || grn_str_ends(file, ".bed.gz"));
}

/* "a/b/Topic_1.bed.gz" -> "Topic_1" */
static grn_status bare_name(const char *path, char **out)
{
    const char *base = grn_path_base(path);
    size_t n = strlen(base);
    if (n > 3 && grn_str_ends(base, ".gz")) n -= 3;
    if (n > 4 && strncmp(base + n - 4, ".bed", 4) == 0) n -= 4;
    *out = strndup(base, n);
    return *out ? GRN_OK : grn_err(GRN_ENOMEM, "out of memory");
}

grn_status grn_regionset_load(grn_regionset_t *x, const char *path)
{
    grn_status rc = GRN_OK;
    *x = (grn_regionset_t){ 0 };
    GRN_TRY(grn_regions_load(path, &x->region));
    GRN_TRY(grn_region_names(&x->region, &x->items));
    GRN_TRY(bare_name(path, &x->name));
    if (!(x->path = strdup(path))) GRN_FAIL(GRN_ENOMEM, "out of memory");
end:
    if (rc) grn_regionset_clear(x);
    return rc;
}

/* The set moves into s. */
static grn_status take(grn_regionsets_t *s, grn_regionset_t *x, const char *family)
{
    size_t k;
    grn_status rc = grn_names_add(&s->families, family, &k, NULL);
    if (rc || (rc = GRN_GROW(s->v, s->cap, s->n + 1))) return rc;
    x->family = (uint32_t)k;
    s->v[s->n++] = *x;
    *x = (grn_regionset_t){ 0 };
    return GRN_OK;
}

static grn_status add_bed(grn_regionsets_t *s, const char *path)
{
    grn_status rc = GRN_OK;
    grn_regionset_t x = { 0 };
    char *folder = NULL, real[PATH_MAX];
    if (!realpath(path, real)) GRN_FAIL(GRN_EIO, "cannot open '%s': %s", path, strerror(errno));
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i].path, path) == 0) GRN_FAIL(GRN_EUSAGE, "region set '%s' is given twice", path);
    GRN_TRY(grn_regionset_load(&x, path));
    folder = strdup(real);
    if (!folder) GRN_FAIL(GRN_ENOMEM, "out of memory");
    *strrchr(folder, '/') = 0;
    if (x.items.n) GRN_TRY(take(s, &x, folder));
    else grn_log_warn("region set '%s' is empty: left out", path);
end:
    free(folder);
    grn_regionset_clear(&x);
    return rc;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

static grn_status add_folder(grn_regionsets_t *s, const char *folder)
{
    grn_status rc = GRN_OK;
    char **file = NULL;
    size_t n = 0, cap = 0;
    grn_str_t path = { 0 };
    DIR *d = opendir(folder);
    if (!d) GRN_FAIL(GRN_EIO, "cannot open '%s': %s", folder, strerror(errno));
    for (struct dirent *e; (e = readdir(d));) {
        if (!is_bed(e->d_name)) continue;
        GRN_TRY(GRN_GROW(file, cap, n + 1));
        if (!(file[n] = strdup(e->d_name))) GRN_FAIL(GRN_ENOMEM, "out of memory");
        n++;
    }
    if (!n) GRN_FAIL(GRN_EEMPTY, "folder '%s' has no file *.bed", folder);
    qsort(file, n, sizeof *file, by_text);
    for (size_t i = 0; i < n; i++) {
        path.n = 0;
        GRN_TRY(grn_str_printf(&path, "%s%s%s", folder, grn_str_ends(folder, "/") ? "" : "/", file[i]));
        GRN_TRY(add_bed(s, path.s));
    }
end:
    if (d) closedir(d);
    for (size_t i = 0; i < n; i++) free(file[i]);
    free(file);
    grn_str_clear(&path);
    return rc;
}

static grn_status add_gmt(grn_regionsets_t *s, const char *path)
{
    grn_status rc = GRN_OK;
    grn_gmt_t g = { 0 };
    grn_regionset_t x = { 0 };
    GRN_TRY(grn_gmt_load(path, &g));
    for (size_t k = 0; k < g.n; k++) {
        x.name = strdup(grn_names_get(&g.sets, k));
        x.path = strdup(path);
        if (!x.name || !x.path) GRN_FAIL(GRN_ENOMEM, "out of memory");
        for (uint64_t i = g.off[k]; i < g.off[k + 1]; i++)
            GRN_TRY(grn_names_add(&x.items, grn_names_get(&g.genes, g.gene[i]), NULL, NULL));
        if (x.items.n) GRN_TRY(take(s, &x, path));
        else grn_log_warn("gene set '%s' is empty: left out", x.name);
        grn_regionset_clear(&x);
    }
end:
    grn_regionset_clear(&x);
    grn_gmt_clear(&g);
    return rc;
}

/* ---- names and order ---- */

static int by_family_and_name(const void *x, const void *y, void *families)
{
    const grn_regionset_t *a = x, *b = y;
    int c = strcmp(grn_names_get(families, a->family), grn_names_get(families, b->family));
    return c ? c : strcmp(a->name, b->name);
}

/* A name that another family has as well becomes folder/name. */
static grn_status name_apart(grn_regionsets_t *s)
{
    grn_status rc = GRN_OK;
    uint8_t *twice = NULL;
    GRN_TRY(GRN_NEW(twice, s->n));
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(s->v[i].name, s->v[j].name) == 0) twice[i] = twice[j] = 1;
    for (size_t i = 0; i < s->n; i++) {
        grn_str_t name = { 0 };
        int is_new = 1;
        if (twice[i]) {
            GRN_TRY(grn_str_printf(&name, "%s/%s", grn_path_base(grn_names_get(&s->families, s->v[i].family)), s->v[i].name));
            free(s->v[i].name);
            s->v[i].name = name.s;
        }
        GRN_TRY(grn_names_add(&s->names, s->v[i].name, NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EUSAGE, "two region sets are called '%s': rename a file or a folder", s->v[i].name);
    }
end:
    free(twice);
    return rc;
}

grn_status grn_regionsets_load(grn_regionsets_t *s, char *const *path, size_t n, int genes)
{
    grn_status rc = GRN_OK;
    *s = (grn_regionsets_t){ 0 };
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (stat(path[i], &st) == 0 && S_ISDIR(st.st_mode)) GRN_TRY(add_folder(s, path[i]));
        else GRN_TRY(genes ? add_gmt(s, path[i]) : add_bed(s, path[i]));
    }
    if (!s->n) GRN_FAIL(GRN_EEMPTY, "all %s sets are empty", genes ? "gene" : "region");
    qsort_r(s->v, s->n, sizeof *s->v, by_family_and_name, &s->families);
    GRN_TRY(name_apart(s));
end:
    if (rc) grn_regionsets_clear(s);
    return rc;
}

/* ---- in the database ---- */

static grn_status add_pair(grn_regionset_t *x, size_t *cap, size_t col, size_t item)
{
    grn_status rc = GRN_GROW(x->pair, *cap, x->n_pair + 1);
    if (!rc) x->pair[x->n_pair++] = (grn_setpair_t){ (uint32_t)col, (uint32_t)item };
    return rc;
}

static int enough(const grn_regions_t *q, size_t i, const grn_regions_t *t, size_t k, double fraction)
{
    uint64_t a = q->start[i] > t->start[k] ? q->start[i] : t->start[k], b = q->end[i] < t->end[k] ? q->end[i] : t->end[k];
    double both = (double)(b - a);
    return both / (double)(t->end[k] - t->start[k]) > fraction || both / (double)(q->end[i] - q->start[i]) > fraction;
}

static grn_status map_region(grn_regionset_t *x, const grn_motifdb_t *db, size_t i, double fraction, size_t *cap, uint32_t **found,
                             size_t *found_cap)
{
    grn_status rc = GRN_OK;
    const grn_regions_t *q = &x->region, *t = &db->place;
    size_t same = grn_names_find(db->columns, grn_names_get(&x->items, i));
    if (same != GRN_NAMES_NONE) return add_pair(x, cap, same, i);
    size_t chrom = grn_chrom_find(&t->chroms, grn_names_get(&q->chroms, q->chrom[i]), NULL);
    if (chrom == GRN_NAMES_NONE) return GRN_OK;
    size_t n = grn_regions_overlap(t, chrom, q->start[i], q->end[i], *found, *found_cap);
    if (n > *found_cap) {
        GRN_TRY(GRN_GROW(*found, *found_cap, n));
        n = grn_regions_overlap(t, chrom, q->start[i], q->end[i], *found, *found_cap);
    }
    for (size_t k = 0; k < n; k++) /* one of the same place under another spelling */
        if (t->start[(*found)[k]] == q->start[i] && t->end[(*found)[k]] == q->end[i]) return add_pair(x, cap, (*found)[k], i);
    for (size_t k = 0; k < n; k++)
        if (enough(q, i, t, (*found)[k], fraction)) GRN_TRY(add_pair(x, cap, (*found)[k], i));
end:
    return rc;
}

static int by_column(const void *x, const void *y)
{
    const grn_setpair_t *a = x, *b = y;
    if (a->col != b->col) return a->col < b->col ? -1 : 1;
    return a->item < b->item ? -1 : a->item > b->item;
}

grn_status grn_regionset_map(grn_regionset_t *x, const grn_motifdb_t *db, double min_overlap)
{
    grn_status rc = GRN_OK;
    size_t cap = 0, found_cap = 0;
    uint32_t *found = NULL;
    free(x->pair);
    free(x->col);
    x->pair = NULL;
    x->col = NULL;
    x->n_pair = x->n = x->n_mapped = 0;
    for (size_t i = 0; i < x->items.n; i++) {
        size_t before = x->n_pair, k;
        if (!db->is_genes) GRN_TRY(map_region(x, db, i, min_overlap, &cap, &found, &found_cap));
        else if ((k = grn_names_find(db->columns, grn_names_get(&x->items, i))) != GRN_NAMES_NONE) GRN_TRY(add_pair(x, &cap, k, i));
        x->n_mapped += x->n_pair > before;
    }
    if (x->n_pair) qsort(x->pair, x->n_pair, sizeof *x->pair, by_column);
    GRN_TRY(GRN_NEW_RAW(x->col, x->n_pair));
    for (size_t i = 0; i < x->n_pair; i++)
        if (!x->n || x->col[x->n - 1] != x->pair[i].col) x->col[x->n++] = x->pair[i].col;
end:
    free(found);
    return rc;
}

void grn_regionset_pairs(const grn_regionset_t *x, uint32_t col, size_t *first, size_t *last)
{
    size_t a = 0, b = x->n_pair;
    while (a < b) {
        size_t mid = a + (b - a) / 2;
        if (x->pair[mid].col < col) a = mid + 1;
        else b = mid;
    }
    for (*first = *last = a; *last < x->n_pair && x->pair[*last].col == col; ++*last) continue;
}
