/* Metacells: which cells are in which. */
#include "metacells.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/rng.h"
#include "base/str.h"
#include "cells.h"
#include "io/chrom.h"
#include "io/container.h"
#include "io/prov.h"

#define DEFAULT_BUDGET ((uint64_t)512 << 20)

/* ---- state ---- */

typedef struct {
    const char *path, *what; /* "RNA", "ATAC" */
    grn_colsrc_t src;
    grn_matrix_t label; /* row names and labels, where they come from a table */
    const grn_attrs_t *attrs;
    size_t n;           /* cells in use */
    uint32_t *row;      /* (n) their rows, in bytewise order of names */
    int32_t *group;     /* (n) -1: none */
    uint64_t *hash;     /* (n) of the names that draw */
    size_t *first;      /* (groups + 1) into in_group */
    uint32_t *in_group; /* positions by group, ascending */
    uint64_t *off;      /* (metacells + 1) */
    uint32_t *member;   /* positions */
    uint8_t *used;      /* (n) in a metacell */
} assay_t;

typedef struct {
    const grn_metacells_opt_t *opt;
    assay_t a[2];
    int n_assays;
    grn_names_t types, levels; /* in bytewise order; of all assays */
    size_t n_groups;           /* types x levels (1 without --by) */
    grn_names_t names;         /* (n_groups) "TYPE" or "TYPE_LEVEL" */
    size_t *number;            /* (n_groups) metacells */
    uint32_t *group, *x;       /* (metacells) */
    grn_metacells_rows_t rows;
    grn_funnel_t funnel;
} state_t;

static void state_clear(state_t *s)
{
    for (int k = 0; k < 2; k++) {
        assay_t *a = &s->a[k];
        grn_colsrc_close(&a->src);
        grn_matrix_clear(&a->label);
        free(a->row);
        free(a->group);
        free(a->hash);
        free(a->first);
        free(a->in_group);
        free(a->off);
        free(a->member);
        free(a->used);
    }
    free(s->number);
    free(s->group);
    free(s->x);
    free(s->rows.type);
    free(s->rows.level);
    grn_names_clear(&s->rows.name);
    grn_names_clear(&s->rows.types);
    grn_names_clear(&s->rows.levels);
    grn_names_clear(&s->types);
    grn_names_clear(&s->levels);
    grn_names_clear(&s->names);
    grn_funnel_clear(&s->funnel);
}

/* ---- input ---- */

/* Labels of a table are joined to a container's names here, so that it is still read in blocks. */
static grn_status open_assay(assay_t *a, const grn_counts_opt_t *given, const char *const *by)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t o = *given;
    if (*by) {
        o.also = by;
        o.n_also = 1;
    }
    GRN_TRY(grn_path_rewindable(&a->path));
    int apart = o.cells_tsv && grn_cr_sniff(strcmp(a->path, "-") ? a->path : "/proc/self/fd/0");
    grn_counts_opt_t open = o;
    if (apart) open.cells_tsv = NULL;
    GRN_TRY(grn_colsrc_open(&a->src, a->path, &open, GRN_SCALE_RAW, grn_common.pool));
    a->attrs = &a->src.info->row_attr;
    if (!apart) return GRN_OK;
    a->label.n_rows = a->src.info->n_rows;
    GRN_TRY(grn_prov_input(o.cells_tsv, NULL));
    GRN_TRY(grn_names_dup(&a->label.row, &a->src.info->row));
    GRN_TRY(grn_attrs_dup(&a->label.row_attr, a->attrs, a->label.n_rows));
    GRN_TRY(grn_counts_label(a->path, &o, &a->label));
    a->attrs = &a->label.row_attr;
end:
    return rc;
}

/* The cells in use: of both assays, or all of each. */
static grn_status list_cells(state_t *s)
{
    grn_status rc = GRN_OK;
    grn_cells_t c = { 0 };
    const assay_t *rna = &s->a[0], *atac = &s->a[1];
    int joined = s->n_assays > 1 && s->opt->pair == GRN_PAIR_CELLS;
    for (int k = 0; k < (joined ? 1 : s->n_assays); k++) {
        assay_t *a = &s->a[k];
        rc = grn_cells_match(&a->src.info->row, a->path, joined ? &atac->src.info->row : NULL, atac->path, &c);
        if (rc == GRN_EEMPTY && joined) {
            char text[1000];
            snprintf(text, sizeof text, "%s", grn_err_msg());
            rc = grn_err(rc, "%s; for different cells of the same types give --pair types", text);
        }
        GRN_TRY(rc);
        a->row = c.a;
        a->n = c.n;
        if (joined) {
            s->a[1].row = c.b;
            s->a[1].n = c.n;
        }
        c.a = c.b = NULL;
    }
    if (joined)
        grn_log_info("cells: %zu in both of %" PRIu64 " RNA and %" PRIu64
                     " ATAC cells (%zu by exact barcode, %zu without the -N suffix, %zu ambiguous)",
                     rna->n, rna->src.info->n_rows, atac->src.info->n_rows, c.n_exact, c.n_stripped, c.n_ambiguous);
    for (int k = 0; k < s->n_assays; k++) {
        assay_t *a = &s->a[k], *named = joined ? &s->a[0] : a;
        GRN_TRY(GRN_NEW_RAW(a->src.cell, a->src.info->n_rows));
        GRN_TRY(GRN_NEW_RAW(a->hash, a->n));
        GRN_TRY(GRN_NEW(a->used, a->n));
        memset(a->src.cell, 0xff, a->src.info->n_rows * sizeof *a->src.cell);
        a->src.n_cells = a->n;
        for (size_t i = 0; i < a->n; i++) {
            a->src.cell[a->row[i]] = (uint32_t)i;
            a->hash[i] = grn_hash_str(grn_names_get(&named->src.info->row, named->row[i]));
        }
    }
end:
    grn_cells_clear(&c);
    return rc;
}

/* ---- groups ---- */

static const grn_attr_t *labels_of(const assay_t *a, const char *name)
{
    const grn_attr_t *x = grn_attr_find(a->attrs, name);
    return x && x->code ? x : NULL;
}

/* The labels of assay k: its own, or with joined cells those of the other; *from: whose rows they go by. */
static const grn_attr_t *find_labels(const state_t *s, int k, const char *name, int *from)
{
    const grn_attr_t *x = NULL;
    for (int j = 0; j < s->n_assays && !x; j++) {
        *from = s->opt->pair == GRN_PAIR_CELLS ? j : k; /* of both assays the RNA's come first */
        x = labels_of(&s->a[*from], name);
    }
    return x;
}

static grn_status no_labels(const state_t *s, int k, const char *name)
{
    char buf[400] = "none";
    size_t used = 0;
    const grn_attrs_t *as = s->a[k].attrs;
    for (size_t i = 0; i < as->n && used + 1 < sizeof buf; i++)
        if (as->a[i].code) used += (size_t)snprintf(buf + used, sizeof buf - used, "%s%s", used ? ", " : "", as->a[i].name);
    return grn_err(GRN_EINVAL, "'%s' has no labels '%s' of its cells; it has: %s (a table of labels: %s)", s->a[k].path, name, buf,
                   k ? "--atac-cells TSV" : "--cells TSV");
}

/* The names in use of both assays, in bytewise order. */
static grn_status sort_names(const grn_names_t *seen, grn_names_t *out)
{
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, seen->n));
    GRN_TRY(grn_names_sort(seen, order));
    for (size_t i = 0; i < seen->n; i++) GRN_TRY(grn_names_add(out, grn_names_get(seen, order[i]), NULL, NULL));
end:
    free(order);
    return rc;
}

/* Codes of the cells of every assay in one dictionary; code[k]: (cells), malloc'ed. `everything`: the one level of cells without
 * such labels; NULL: they must be there. */
static grn_status read_labels(state_t *s, const char *name, const char *everything, grn_names_t *levels, int32_t *code[2])
{
    grn_status rc = GRN_OK;
    grn_names_t seen = { 0 };
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < s->n_assays; k++) {
            int from = k;
            const grn_attr_t *x = find_labels(s, k, name, &from);
            if (!x && !everything) GRN_TRY(no_labels(s, k, name));
            if (pass) GRN_TRY(GRN_NEW_RAW(code[k], s->a[k].n));
            for (size_t i = 0; i < s->a[k].n; i++) {
                int32_t c = x ? x->code[s->a[from].row[i]] : 0;
                const char *label = x ? (c < 0 ? NULL : grn_names_get(&x->levels, (size_t)c)) : everything;
                if (pass) code[k][i] = label ? (int32_t)grn_names_find(levels, label) : -1;
                else if (label) GRN_TRY(grn_names_add(&seen, label, NULL, NULL));
            }
        }
        if (!pass) GRN_TRY(sort_names(&seen, levels));
    }
end:
    grn_names_clear(&seen);
    return rc;
}

static grn_status group_cells(assay_t *a, size_t n_groups)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(a->first, n_groups + 2));
    GRN_TRY(GRN_NEW_RAW(a->in_group, a->n));
    for (size_t i = 0; i < a->n; i++)
        if (a->group[i] >= 0) a->first[a->group[i] + 2]++;
    for (size_t g = 0; g < n_groups; g++) a->first[g + 2] += a->first[g + 1];
    for (size_t i = 0; i < a->n; i++)
        if (a->group[i] >= 0) a->in_group[a->first[a->group[i] + 1]++] = (uint32_t)i;
end:
    return rc;
}

static grn_status make_groups(state_t *s)
{
    grn_status rc = GRN_OK;
    int32_t *type[2] = { 0 }, *level[2] = { 0 };
    grn_str_t name = { 0 };
    int is_new, from;
    const char *by = s->opt->by, *all = s->opt->pair == GRN_PAIR_TYPES ? NULL : "all";
    if (all && !find_labels(s, 0, "cell_type", &from))
        grn_log_warn("no cell types: metacells are drawn from all cells (--cells TSV gives types)");
    GRN_TRY(read_labels(s, "cell_type", all, &s->types, type));
    if (by) GRN_TRY(read_labels(s, by, NULL, &s->levels, level));
    size_t L = by ? s->levels.n : 1;
    s->n_groups = s->types.n * L;
    for (size_t g = 0; g < s->n_groups; g++) {
        name.n = 0;
        GRN_TRY(grn_str_puts(&name, grn_names_get(&s->types, g / L)));
        if (by) GRN_TRY(grn_str_printf(&name, "_%s", grn_names_get(&s->levels, g % L)));
        GRN_TRY(grn_names_add(&s->names, name.s, NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EINVAL, "two groups of type and %s are called '%s': rename the types or the levels", by, name.s);
    }
    for (int k = 0; k < s->n_assays; k++) {
        assay_t *a = &s->a[k];
        uint64_t n = 0;
        GRN_TRY(GRN_NEW_RAW(a->group, a->n));
        for (size_t i = 0; i < a->n; i++) {
            int has = type[k][i] >= 0 && (!by || level[k][i] >= 0);
            a->group[i] = has ? (int32_t)((size_t)type[k][i] * L + (by ? (size_t)level[k][i] : 0)) : -1;
            n += (uint64_t)has;
        }
        GRN_TRY(group_cells(a, s->n_groups));
        if (k == 0 || s->opt->pair == GRN_PAIR_TYPES)
            GRN_TRY(grn_funnel_add(&s->funnel, "cells", n, a->n - n, "%s cells with a cell type%s%s", a->what, by ? " and a " : "",
                                   by ? by : ""));
    }
end:
    for (int k = 0; k < 2; k++) {
        free(type[k]);
        free(level[k]);
    }
    grn_str_clear(&name);
    return rc;
}

/* ---- how many ---- */

static size_t group_size(const state_t *s, int k, size_t g)
{
    return s->a[k].first[g + 1] - s->a[k].first[g];
}

/* "12 RNA and 3 ATAC cells", or "12 cells". */
static const char *show_sizes(const state_t *s, size_t g, char *buf, size_t cap)
{
    if (s->opt->pair == GRN_PAIR_TYPES) snprintf(buf, cap, "%zu RNA and %zu ATAC cells", group_size(s, 0, g), group_size(s, 1, g));
    else snprintf(buf, cap, "%zu cells", group_size(s, 0, g));
    return buf;
}

static grn_status no_group(const state_t *s)
{
    char x[200], y[200];
    int apart = s->opt->pair == GRN_PAIR_TYPES;
    grn_status rc = GRN_OK;
    grn_names_t of[2] = { { 0 }, { 0 } };
    for (int k = 0; k < s->n_assays; k++)
        for (size_t g = 0; g < s->n_groups; g++)
            if (group_size(s, k, g)) GRN_TRY(grn_names_add(&of[k], grn_names_get(&s->names, g), NULL, NULL));
    rc = grn_err(GRN_EEMPTY, "no cell type%s has %zu cells%s (--min-cells); RNA: %s%s%s", s->opt->by ? " and level" : "",
                 s->opt->min_cells, apart ? " in both assays" : "", grn_names_show(&of[0], 5, x, sizeof x), apart ? "; ATAC: " : "",
                 apart ? grn_names_show(&of[1], 5, y, sizeof y) : "");
end:
    grn_names_clear(&of[0]);
    grn_names_clear(&of[1]);
    return rc;
}

static grn_status count_metacells(state_t *s, size_t *n_meta)
{
    grn_status rc = GRN_OK;
    const grn_metacells_opt_t *o = s->opt;
    size_t kept = 0, lost = 0;
    char text[100];
    *n_meta = 0;
    GRN_TRY(GRN_NEW(s->number, s->n_groups));
    for (size_t g = 0; g < s->n_groups; g++) {
        size_t n = group_size(s, 0, g), most = n;
        const char *name = grn_names_get(&s->names, g);
        for (int k = 1; k < s->n_assays; k++) {
            size_t m = group_size(s, k, g);
            n = m < n ? m : n;
            most = m > most ? m : most;
        }
        if (!most) continue; /* a type and a level that never meet */
        if (n < o->min_cells) {
            grn_log_warn("'%s' has %s, fewer than %zu (--min-cells): left out", name, show_sizes(s, g, text, sizeof text),
                         o->min_cells);
            lost++;
            continue;
        }
        if (n <= o->size)
            grn_log_warn("'%s' has %s, no more than the %zu of a metacell: one metacell of all of them", name,
                         show_sizes(s, g, text, sizeof text), o->size);
        s->number[g] = grn_metacells_number(n, o->size, o->per_type);
        *n_meta += s->number[g];
        kept++;
    }
    GRN_TRY(grn_funnel_add(&s->funnel, o->by ? "groups" : "types", kept, lost, "%s with at least %zu cells%s",
                           o->by ? "groups (types x levels)" : "cell types", o->min_cells,
                           o->pair == GRN_PAIR_TYPES ? " in each assay" : ""));
    if (!kept) GRN_TRY(no_group(s));
end:
    return rc;
}

/* ---- who ---- */

static grn_status draw_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    state_t *s = ctx;
    uint64_t *hash = NULL;
    size_t cap = 0;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        size_t g = s->group[i];
        for (int k = 0; k < s->n_assays; k++) {
            assay_t *a = &s->a[k];
            const uint32_t *cells = a->in_group + a->first[g];
            size_t n = group_size(s, k, g);
            /* with joined cells the same key and the same barcodes: the same cells */
            const char *stage = k && s->opt->pair == GRN_PAIR_TYPES ? "metacells.atac" : "metacells";
            uint64_t key = grn_rng_key(s->opt->seed, stage, grn_hash_str(grn_names_get(&s->names, g)), s->x[i]);
            GRN_TRY(GRN_GROW(hash, cap, n + 1));
            for (size_t j = 0; j < n; j++) hash[j] = a->hash[cells[j]];
            uint32_t *out = a->member + a->off[i];
            if (grn_metacells_draw(hash, n, s->opt->size, key, out) != a->off[i + 1] - a->off[i]) GRN_TRY(GRN_ENOMEM);
            for (uint64_t j = 0; j < a->off[i + 1] - a->off[i]; j++) out[j] = cells[out[j]];
        }
    }
end:
    free(hash);
    return rc;
}

static grn_status name_rows(state_t *s, size_t n_meta)
{
    grn_status rc = GRN_OK;
    grn_str_t name = { 0 };
    grn_metacells_rows_t *r = &s->rows;
    size_t L = s->opt->by ? s->levels.n : 1, i = 0;
    int is_new;
    r->n = n_meta;
    GRN_TRY(GRN_NEW_RAW(s->group, n_meta));
    GRN_TRY(GRN_NEW_RAW(s->x, n_meta));
    GRN_TRY(GRN_NEW_RAW(r->type, n_meta));
    if (s->opt->by) GRN_TRY(GRN_NEW_RAW(r->level, n_meta));
    GRN_TRY(grn_names_dup(&r->types, &s->types));
    GRN_TRY(grn_names_dup(&r->levels, &s->levels));
    for (size_t g = 0; g < s->n_groups; g++)
        for (size_t x = 0; x < s->number[g]; x++, i++) {
            name.n = 0;
            GRN_TRY(grn_str_printf(&name, "%s_%zu", grn_names_get(&s->names, g), x));
            GRN_TRY(grn_names_add(&r->name, name.s, NULL, &is_new));
            if (!is_new) GRN_FAIL(GRN_EINVAL, "two metacells are called '%s': rename the types or the levels", name.s);
            s->group[i] = (uint32_t)g;
            s->x[i] = (uint32_t)x;
            r->type[i] = (int32_t)(g / L);
            if (r->level) r->level[i] = (int32_t)(g % L);
        }
end:
    grn_str_clear(&name);
    return rc;
}

static grn_status draw_all(state_t *s, size_t n_meta)
{
    grn_status rc = GRN_OK;
    GRN_TRY(name_rows(s, n_meta));
    for (int k = 0; k < s->n_assays; k++) {
        assay_t *a = &s->a[k];
        GRN_TRY(GRN_NEW(a->off, n_meta + 1));
        for (size_t i = 0; i < n_meta; i++) {
            size_t n = group_size(s, k, s->group[i]);
            a->off[i + 1] = a->off[i] + (n < s->opt->size ? n : s->opt->size);
        }
        GRN_TRY(GRN_NEW_RAW(a->member, a->off[n_meta]));
    }
    GRN_TRY(grn_par_for(grn_common.pool, n_meta, 16, draw_work, s));
    for (int k = 0; k < s->n_assays; k++) {
        assay_t *a = &s->a[k];
        size_t n = 0;
        for (uint64_t j = 0; j < a->off[n_meta]; j++) a->used[a->member[j]] = 1;
        for (size_t i = 0; i < a->n; i++) n += a->used[i];
        if (k == 0 || s->opt->pair == GRN_PAIR_TYPES)
            GRN_TRY(grn_funnel_add(&s->funnel, "cells", n, a->n - n, "%s cells in a metacell (in %.2f of them on average)", a->what,
                                   (double)a->off[n_meta] / (double)n));
    }
    if (s->opt->pair == GRN_PAIR_TYPES)
        grn_log_info("RNA and ATAC are of different cells: within a type their metacells are paired at random, so links come from "
                     "differences between the %s alone",
                     s->opt->by ? "types and levels" : "types");
end:
    return rc;
}

/* ---- output ---- */

static grn_status write_members(const state_t *s)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    const grn_metacells_rows_t *r = &s->rows;
    GRN_TRY(grn_out_open(&o, s->opt->members, 0));
    GRN_TRY(grn_prov_text(o));
    GRN_TRY(grn_out_printf(o, "metacell\tcell_type%s%s\tassay\tbarcode\n", s->opt->by ? "\t" : "", s->opt->by ? s->opt->by : ""));
    for (size_t i = 0; i < r->n; i++)
        for (int k = 0; k < s->n_assays; k++)
            for (uint64_t j = s->a[k].off[i]; j < s->a[k].off[i + 1]; j++) {
                GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(&r->name, i), grn_names_get(&r->types, (size_t)r->type[i])));
                if (r->level) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&r->levels, (size_t)r->level[i])));
                GRN_TRY(grn_out_printf(o, "\t%s\t%s\n", k ? "atac" : "rna",
                                       grn_names_get(&s->a[k].src.info->row, s->a[k].row[s->a[k].member[j]])));
            }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

static grn_status write_matrices(state_t *s)
{
    grn_status rc = GRN_OK;
    grn_mw_t *w[2] = { 0 };
    uint64_t budget = grn_common.max_mem ? grn_common.max_mem / 4 : DEFAULT_BUDGET;
    const char *json = grn_funnel_json(&s->funnel);
    for (int k = 0; k < s->n_assays; k++) {
        assay_t *a = &s->a[k];
        const grn_metacells_members_t m = { &a->src, a->n, a->off, a->member };
        GRN_TRY(grn_metacells_pool(s->opt, &m, &s->rows, k ? s->opt->out_atac : s->opt->out_rna, json ? json : "[]", budget,
                                   grn_common.pool, &w[k]));
    }
    for (int k = 0; k < s->n_assays; k++) {
        grn_mw_t *done = w[k];
        w[k] = NULL;
        GRN_TRY(grn_mw_commit(done));
    }
end:
    for (int k = 0; k < 2; k++) grn_mw_abort(w[k]);
    return rc;
}

grn_status grn_metacells_run(const grn_metacells_opt_t *opt)
{
    grn_status rc = GRN_OK;
    state_t s = { .opt = opt, .n_assays = opt->atac ? 2 : 1 };
    size_t n_meta;
    s.a[0].path = opt->rna;
    s.a[0].what = "RNA";
    s.a[1].path = opt->atac;
    s.a[1].what = "ATAC";
    GRN_TRY(open_assay(&s.a[0], &opt->rna_opt, &opt->by));
    if (opt->atac) GRN_TRY(open_assay(&s.a[1], &opt->atac_opt, &opt->by));
    GRN_TRY(list_cells(&s));
    GRN_TRY(make_groups(&s));
    GRN_TRY(count_metacells(&s, &n_meta));
    GRN_TRY(draw_all(&s, n_meta));
    GRN_TRY(write_matrices(&s));
    if (opt->members) GRN_TRY(write_members(&s));
    grn_log_info("%zu metacells of up to %zu cells, %s", n_meta, opt->size, opt->mean ? "means" : "sums");
end:
    state_clear(&s);
    return rc;
}
