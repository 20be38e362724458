/* What a file is: ours by its schema, others by their first lines. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "grn-view/view.h"
#include "io/text.h"

const char *view_real_path(const char *path)
{
    return strcmp(path, "-") == 0 ? "/proc/self/fd/0" : path;
}

int view_format_is(const char *word, const char *dflt)
{
    return strcmp(strcmp(view_opt.format, "auto") == 0 ? dflt : view_opt.format, word) == 0;
}

static grn_status kind_of_container(const char *path, view_kind *kind)
{
    static const struct {
        const char *schema;
        view_kind kind;
    } known[] = { { "grn.edges/", VIEW_EDGES },
                  { "grn.matrix/", VIEW_MATRIX },
                  { "grn.activity/", VIEW_ACTIVITY },
                  { "grn.result/", VIEW_RESULT },
                  { "grn.embedding/", VIEW_EMBEDDING },
                  { "grn.lowrank/", VIEW_LOWRANK } };
    grn_cr_t *r;
    grn_status rc = grn_cr_open(&r, path, grn_common.pool);
    if (rc) return rc;
    *kind = VIEW_OTHER;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(grn_cr_schema(r), known[i].schema, strlen(known[i].schema)) == 0)
            *kind = known[i].kind;
    grn_cr_close(r);
    return GRN_OK;
}

static int is_one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(s, *words) == 0) return 1;
    return 0;
}

/* A header that names a TF and a target. */
static int is_network(char **field, size_t n)
{
    static const char *const tf[] = { "tf", "source", "regulator", "gene1", NULL },
                             *const target[] = { "target", "gene", "gene2", NULL };
    int has_tf = 0, has_target = 0;
    for (size_t i = 0; i < n; i++)
        has_tf |= is_one_of(field[i], tf), has_target |= is_one_of(field[i], target);
    return has_tf && has_target;
}

/* A free-text or empty second field with names, not numbers, behind it. */
static int is_gmt(char **field, size_t n)
{
    const char *d = field[1];
    double x;
    if (n < 3 || (!strchr(d, ' ') && strncmp(d, "http", 4) != 0 && strcasecmp(d, "na") != 0 &&
                  strcmp(d, ">") != 0))
        return 0;
    for (size_t i = 2; i < n && i < 15; i++)
        if (grn_parse_f64(field[i], &x) == GRN_OK) return 0;
    return 1;
}

/* chrom, start, end ... with a name that looks like a chromosome. */
static int is_interval(char **field, size_t n)
{
    int64_t a, b;
    if (n < 3 || n > 12 || (strncmp(field[0], "chr", 3) != 0 && strlen(field[0]) > 2)) return 0;
    return grn_parse_i64(field[1], &a) == GRN_OK && grn_parse_i64(field[2], &b) == GRN_OK &&
           a >= 0 && b > a;
}

static int is_barcode(const char *s)
{
    return strspn(s, "ACGTN") >= 8;
}

static view_kind kind_of_line(char *line)
{
    char *field[16], sep = strchr(line, '\t') ? '\t' : ',';
    if (strncmp(line, "MEME version", 12) == 0 || strncmp(line, "AC ", 3) == 0 ||
        strncmp(line, "ID ", 3) == 0)
        return VIEW_MOTIFS;
    size_t n = grn_split(line, sep, field, 16);
    if (strcasecmp(field[0], "motif") == 0 || strcasecmp(field[0], "motif_id") == 0)
        return VIEW_MOTIF2TF;
    if (is_network(field, n)) return VIEW_NETWORK;
    static const char *const mode[] = { "Activation", "Repression", "Unknown",
                                        NULL }; /* TRRUST has no header */
    if (n >= 3 && is_one_of(field[2], mode)) return VIEW_NETWORK;
    if (sep != '\t' || !*field[0]) return VIEW_COUNTS;
    if (n == 9 && strlen(field[6]) == 1 && strchr("+-.?", field[6][0])) return VIEW_GENES;
    if (is_interval(field, n))
        return (n == 4 || n == 5) && is_barcode(field[3]) ? VIEW_FRAGMENTS : VIEW_BED;
    return strcmp(field[0], "cell") != 0 && strcmp(field[0], "gene") != 0 && is_gmt(field, n)
               ? VIEW_GMT
               : VIEW_COUNTS;
}

/* After a '>' line: bases make it FASTA, anything else a motif. */
static view_kind kind_of_record(grn_text_t *t)
{
    char *line;
    size_t n;
    if (grn_text_next(t, &line, &n) != 1) return VIEW_MOTIFS;
    return n && strspn(line, "ACGTUNRYSWKMBDHVacgtunryswkmbdhv*-") == n ? VIEW_FASTA : VIEW_MOTIFS;
}

/* The first line that is no comment decides, but for comments that tell the format. */
static view_kind kind_of_lines(grn_text_t *t)
{
    char *line;
    while (grn_text_next(t, &line, NULL) == 1) {
        if (strncmp(line, "##gff-version", 13) == 0 || strncmp(line, "#!genome-build", 14) == 0)
            return VIEW_GENES;
        if (strncmp(line, "#motif_id", 9) == 0) return VIEW_MOTIF2TF;
        if (line[0] == '>') return kind_of_record(t);
        if (line[0] && line[0] != '#') return kind_of_line(line);
    }
    return VIEW_COUNTS;
}

static view_kind kind_of_text(const char *path)
{
    struct stat st;
    grn_text_t *t;
    if (stat(path, &st) || S_ISDIR(st.st_mode) || grn_text_open(&t, path))
        return VIEW_COUNTS; /* its reader says what is wrong */
    view_kind kind = kind_of_lines(t);
    grn_text_close(t);
    return kind;
}

grn_status view_kind_of(const char *path, view_kind *kind)
{
    static const struct {
        const char *word;
        view_kind kind;
    } asked[] = {
        { "counts", VIEW_COUNTS },       { "network", VIEW_NETWORK }, { "gmt", VIEW_GMT },
        { "genes", VIEW_GENES },         { "bed", VIEW_BED },         { "fasta", VIEW_FASTA },
        { "fragments", VIEW_FRAGMENTS }, { "motifs", VIEW_MOTIFS },   { "motif2tf", VIEW_MOTIF2TF }
    };
    if (grn_cr_sniff(view_real_path(path))) return kind_of_container(path, kind);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (strcmp(view_opt.from, asked[i].word) == 0) return *kind = asked[i].kind, GRN_OK;
    *kind = kind_of_text(view_real_path(path));
    return GRN_OK;
}
