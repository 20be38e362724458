#include "motifset.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/prov.h"

static const char *const suffix[] = { ".cb", ".pfm", ".meme", ".jaspar", ".transfac", ".motif", ".txt" };

static void motif_free(grn_motif_t *m)
{
    free(m->p);
    free(m->total);
    free(m->alt);
}

void grn_motifset_clear(grn_motifset_t *s)
{
    for (size_t i = 0; i < s->n_motif; i++) motif_free(&s->motif[i]);
    free(s->motif);
    free(s->first);
    free(s->gap);
    grn_names_clear(&s->names);
    memset(s, 0, sizeof *s);
}

/* Length of a file name without its motif suffix (and .gz); 0: no motif file. */
static size_t bare(const char *name)
{
    size_t n = strlen(name);
    if (grn_str_ends(name, ".gz")) n -= 3;
    for (size_t k = 0; k < sizeof suffix / sizeof *suffix; k++) {
        size_t m = strlen(suffix[k]);
        if (n > m && !memcmp(name + n - m, suffix[k], m)) return n - m;
    }
    return 0;
}

static grn_status open_cluster(grn_motifset_t *s, const char *name, size_t n, const char *path)
{
    grn_status rc = GRN_OK;
    int is_new;
    GRN_TRY(grn_names_add_n(&s->names, name, n, NULL, &is_new));
    if (!is_new) GRN_FAIL(GRN_EFORMAT, "'%s': motif '%.*s' was there before", path, (int)n, name);
    GRN_TRY(GRN_GROW(s->first, s->cap, s->n + 2));
    double *gap = grn_realloc(s->gap, s->cap, sizeof *gap); /* as many as first */
    if (!gap) return GRN_ENOMEM;
    s->gap = gap;
    s->first[s->n] = s->n_motif;
    s->gap[s->n++] = NAN;
    s->first[s->n] = s->n_motif;
end:
    return rc;
}

/* Moves the matrix into the cluster opened last. */
static grn_status add_matrix(grn_motifset_t *s, grn_motif_t *m)
{
    grn_status rc = GRN_GROW(s->motif, s->n_cap, s->n_motif + 1);
    if (rc) return rc;
    if (!isnan(m->gap)) s->gap[s->n - 1] = m->gap;
    s->n_assumed += m->kind == GRN_MOTIF_PROBS && m->n_sites <= 0;
    s->motif[s->n_motif++] = *m;
    memset(m, 0, sizeof *m);
    s->first[s->n] = s->n_motif;
    return GRN_OK;
}

static grn_status load_file(grn_motifset_t *s, const char *path, int one)
{
    grn_status rc = GRN_OK;
    grn_motifs_t f = { 0 };
    const char *base = grn_path_base(path);
    GRN_TRY(grn_prov_input(path, NULL));
    GRN_TRY(grn_motifs_load(path, &f));
    if (one) GRN_TRY(open_cluster(s, base, bare(base) ? bare(base) : strlen(base), path));
    for (size_t i = 0; i < f.n; i++) {
        const char *name = grn_names_get(&f.names, i);
        if (!one) GRN_TRY(open_cluster(s, name, strlen(name), path));
        GRN_TRY(add_matrix(s, &f.m[i]));
    }
    if (f.background[0] > 0) memcpy(s->background, f.background, sizeof s->background);
    if (!one) grn_log_info("motifs: %zu from '%s' (%s form)", f.n, path, f.format);
end:
    grn_motifs_clear(&f);
    return rc;
}

static grn_status load_folder(grn_motifset_t *s, const char *path)
{
    grn_status rc = GRN_OK;
    struct dirent **entry = NULL;
    size_t before = s->n, matrices = s->n_motif, n_other = 0;
    int n = scandir(path, &entry, NULL, alphasort);
    if (n < 0) return grn_err(GRN_EIO, "cannot read the folder '%s'", path);
    for (int i = 0; i < n && !rc; i++) {
        grn_str_t file = { 0 };
        if (entry[i]->d_name[0] == '.') continue;
        n_other += !bare(entry[i]->d_name);
        if (!bare(entry[i]->d_name)) continue;
        rc = grn_str_printf(&file, "%s/%s", path, entry[i]->d_name);
        if (!rc) rc = load_file(s, file.s, 1);
        grn_str_clear(&file);
    }
    if (rc) goto end;
    if (s->n == before) GRN_FAIL(GRN_EEMPTY, "the folder '%s' holds no motif file (.cb, .pfm, .meme, .jaspar, .transfac)", path);
    grn_log_info("motifs: %zu files of %zu matrices in '%s', each file one motif%s", s->n - before, s->n_motif - matrices, path,
                 n_other ? "; files of other kinds were passed over" : "");
end:
    for (int i = 0; i < n; i++) free(entry[i]);
    free(entry);
    return rc;
}

grn_status grn_motifset_load(grn_motifset_t *s, const grn_opt_list_t *paths, int by_file)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < paths->n; i++) {
        struct stat st;
        if (!stat(paths->v[i], &st) && S_ISDIR(st.st_mode)) GRN_TRY(load_folder(s, paths->v[i]));
        else GRN_TRY(load_file(s, paths->v[i], by_file));
    }
    if (s->n_assumed)
        grn_log_warn("motifs: %zu matrices are probabilities without a number of sites; 100 are assumed against the pseudocount",
                     s->n_assumed);
end:
    if (rc) grn_motifset_clear(s);
    return rc;
}
