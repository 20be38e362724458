/* Viewing activity: who is on where, and the thresholds behind it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "grn-view/view.h"
#include "io/prov.h"

typedef struct {
    grn_activity_t a;
    uint8_t *cell, *regulon, *context; /* which pass */
    uint64_t n_cells, n_regulons;
} chosen_t;

static grn_status choose(chosen_t *c, const view_sel_t *s, const char *path)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = &c->a;
    if (s->n_where || s->tf.given || s->gene.given || s->region.given)
        GRN_FAIL(GRN_EUSAGE, "an activity file is chosen from by --cell, --context and --regulon");
    GRN_TRY(GRN_NEW(c->cell, a->n_cells));
    GRN_TRY(GRN_NEW(c->regulon, a->n_regulons));
    GRN_TRY(GRN_NEW(c->context, a->contexts.n));
    GRN_TRY(view_mark(&s->cell, &a->cells, "cells", path, c->cell));
    GRN_TRY(view_mark(&s->regulon, &a->regulons, "regulons", path, c->regulon));
    GRN_TRY(view_mark(&s->context, &a->contexts, "contexts", path, c->context));
    for (uint64_t i = 0; i < a->n_cells; i++)
        c->n_cells += c->cell[i] = c->cell[i] && c->context[a->context[i]];
    for (uint64_t r = 0; r < a->n_regulons; r++) c->n_regulons += c->regulon[r];
    if (view_sel_any(s) && c->n_cells == 0)
        GRN_FAIL(GRN_EEMPTY, "no cell of '%s' passes all the filters together", path);
end:
    return rc;
}

static grn_status write_wide(grn_out_t *o, const chosen_t *c)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = &c->a;
    GRN_TRY(grn_out_puts(o, "cell\tcontext"));
    for (uint64_t r = 0; r < a->n_regulons; r++)
        if (c->regulon[r]) GRN_TRY(grn_out_printf(o, "\t%s", grn_names_get(&a->regulons, r)));
    GRN_TRY(grn_out_puts(o, "\n"));
    for (uint64_t i = 0; i < a->n_cells; i++) {
        if (!c->cell[i]) continue;
        GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(&a->cells, i),
                               grn_names_get(&a->contexts, a->context[i])));
        for (uint64_t r = 0; r < a->n_regulons; r++)
            if (c->regulon[r]) GRN_TRY(grn_out_puts(o, grn_activity_get(a, i, r) ? "\t1" : "\t0"));
        GRN_TRY(grn_out_puts(o, "\n"));
    }
end:
    return rc;
}

static grn_status write_long(grn_out_t *o, const chosen_t *c)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = &c->a;
    char buf[32];
    GRN_TRY(grn_out_puts(o, a->posterior ? "cell\tcontext\tregulon\tposterior\n"
                                         : "cell\tcontext\tregulon\n"));
    for (uint64_t i = 0; i < a->n_cells; i++)
        for (uint64_t r = 0; c->cell[i] && r < a->n_regulons; r++) {
            if (!c->regulon[r] || !grn_activity_get(a, i, r)) continue;
            GRN_TRY(grn_out_printf(o, "%s\t%s\t%s", grn_names_get(&a->cells, i),
                                   grn_names_get(&a->contexts, a->context[i]),
                                   grn_names_get(&a->regulons, r)));
            if (a->posterior)
                GRN_TRY(grn_out_printf(o, "\t%s",
                                       grn_fmt_f32(buf, a->posterior[i * a->n_regulons + r])));
            GRN_TRY(grn_out_puts(o, "\n"));
        }
end:
    return rc;
}

static grn_status put_class(grn_out_t *o, uint8_t k)
{
    static const char *const name[] = { "bimodal",   "shoulder", "unimodal", "small",
                                        "mass_only", "constant", "empty" };
    unsigned base = k & 0x3f;
    return grn_out_printf(o, "\t%s%s%s", base < sizeof name / sizeof *name ? name[base] : "?",
                          k & GRN_FIT_MASS_FLAG ? "+mass" : "",
                          k & GRN_FIT_BROAD_FLAG ? "+broad" : "");
}

static grn_status write_fits(grn_out_t *o, const chosen_t *c)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = &c->a;
    char buf[32];
    GRN_TRY(grn_out_printf(o, "context\tregulon%s%s", a->threshold ? "\tthreshold" : "",
                           a->klass ? "\tclass" : ""));
    for (size_t k = 0; k < a->n_fit; k++) GRN_TRY(grn_out_printf(o, "\t%s", a->fit[k].name));
    GRN_TRY(grn_out_puts(o, "\n"));
    for (size_t x = 0; x < a->contexts.n; x++)
        for (uint64_t r = 0; c->context[x] && r < a->n_regulons; r++) {
            uint64_t at = x * a->n_regulons + r;
            if (!c->regulon[r]) continue;
            GRN_TRY(grn_out_printf(o, "%s\t%s", grn_names_get(&a->contexts, x),
                                   grn_names_get(&a->regulons, r)));
            if (a->threshold)
                GRN_TRY(grn_out_printf(o, "\t%s", grn_fmt_f32(buf, a->threshold[at])));
            if (a->klass) GRN_TRY(put_class(o, a->klass[at]));
            for (size_t k = 0; k < a->n_fit; k++)
                GRN_TRY(grn_out_printf(o, "\t%s", grn_fmt_f32(buf, a->fit[k].v[at])));
            GRN_TRY(grn_out_puts(o, "\n"));
        }
end:
    return rc;
}

/* ---- a subset as a file of its own ---- */

static grn_status keep_names(const grn_names_t *in, const uint8_t *keep, grn_names_t *out)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < in->n && !rc; i++)
        if (keep[i]) rc = grn_names_add(out, grn_names_get(in, i), NULL, NULL);
    return rc;
}

/* Columns that pass of n_rows x n_regulons numbers of `size` bytes, rows that pass. *out stays NULL
 * for v NULL. */
static grn_status keep_table(const void *v, size_t size, const uint8_t *row, uint64_t n_rows,
                             const chosen_t *c, void **out)
{
    const grn_activity_t *a = &c->a;
    char *p;
    uint64_t n = 0;
    if (!v) return GRN_OK;
    if (!(*out = p = grn_malloc(n_rows * c->n_regulons, size))) return GRN_ENOMEM;
    for (uint64_t i = 0; i < n_rows; i++)
        for (uint64_t r = 0; row[i] && r < a->n_regulons; r++)
            if (c->regulon[r])
                memcpy(p + n++ * size, (const char *)v + (i * a->n_regulons + r) * size, size);
    return GRN_OK;
}

/* Contexts are all kept: codes and fits stay as they are. */
static grn_status write_subset(const chosen_t *c)
{
    grn_status rc = GRN_OK;
    const grn_activity_t *a = &c->a;
    grn_activity_t s = { 0 };
    uint8_t *every = NULL;
    s.n_cells = c->n_cells;
    s.n_regulons = c->n_regulons;
    s.n_words = (s.n_regulons + 63) / 64;
    GRN_TRY(GRN_NEW(s.bits, s.n_cells * s.n_words));
    GRN_TRY(GRN_NEW(s.context, s.n_cells));
    GRN_TRY(GRN_NEW(every, a->contexts.n));
    memset(every, 1, a->contexts.n);
    for (uint64_t i = 0, n = 0; i < a->n_cells; i++) {
        if (!c->cell[i]) continue;
        s.context[n] = a->context[i];
        for (uint64_t r = 0, k = 0; r < a->n_regulons; r++) {
            if (!c->regulon[r]) continue;
            if (grn_activity_get(a, i, r)) grn_activity_set(&s, n, k);
            k++;
        }
        n++;
    }
    GRN_TRY(
        keep_table(a->threshold, sizeof(float), every, a->contexts.n, c, (void **)&s.threshold));
    GRN_TRY(keep_table(a->klass, 1, every, a->contexts.n, c, (void **)&s.klass));
    GRN_TRY(keep_table(a->posterior, sizeof(float), c->cell, a->n_cells, c, (void **)&s.posterior));
    GRN_TRY(GRN_NEW(s.fit, a->n_fit));
    for (; s.n_fit < a->n_fit; s.n_fit++) {
        GRN_TRY(keep_table(a->fit[s.n_fit].v, sizeof(float), every, a->contexts.n, c,
                           (void **)&s.fit[s.n_fit].v));
        if (!(s.fit[s.n_fit].name = strdup(a->fit[s.n_fit].name)))
            GRN_FAIL(GRN_ENOMEM, "out of memory");
    }
    GRN_TRY(keep_names(&a->cells, c->cell, &s.cells));
    GRN_TRY(keep_names(&a->regulons, c->regulon, &s.regulons));
    GRN_TRY(grn_names_dup(&s.contexts, &a->contexts));
    GRN_TRY(grn_activity_save(&s, view_opt.out, grn_common.pool));
end:
    free(every);
    grn_activity_clear(&s);
    return rc;
}

grn_status view_activity(const char *path, const char *dflt)
{
    static const struct {
        const char *word;
        grn_status (*write)(grn_out_t *, const chosen_t *);
    } form[] = { { "tsv", write_wide }, { "long", write_long }, { "fits", write_fits } };
    grn_status rc = GRN_OK;
    view_sel_t sel = { 0 };
    chosen_t c = { 0 };
    grn_out_t *o = NULL;
    size_t k = 0;
    if (!dflt) dflt = "long";
    GRN_TRY(view_sel_load(&sel));
    GRN_TRY(grn_activity_load(path, grn_common.pool, &c.a));
    GRN_TRY(choose(&c, &sel, path));
    if (view_format_is("zst", dflt)) {
        rc = write_subset(&c);
        goto end;
    }
    while (k < 3 && !view_format_is(form[k].word, dflt)) k++;
    if (k == 3)
        GRN_FAIL(GRN_EUSAGE,
                 "an activity file cannot be written as %s; choose tsv, long, fits or zst",
                 view_opt.format);
    GRN_TRY(grn_out_open(&o, view_opt.out, 0));
    if (view_opt.pg) GRN_TRY(grn_prov_text(o));
    GRN_TRY(form[k].write(o, &c));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    grn_activity_clear(&c.a);
    free(c.cell);
    free(c.regulon);
    free(c.context);
    view_sel_clear(&sel);
    return rc;
}
