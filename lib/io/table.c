#include "io/table.h"

#include <string.h>
#include <strings.h>

grn_status grn_table_open(grn_table_t *b, const char *path)
{
    memset(b, 0, sizeof *b);
    return grn_text_open(&b->t, path);
}

void grn_table_close(grn_table_t *b)
{
    grn_text_close(b->t);
    memset(b, 0, sizeof *b);
}

/* Takes the field at s: unquotes and trims it in place. Returns the place behind its separator, NULL at the end of the line. */
static char *take_field(char *s, char sep, char **field)
{
    while (*s == ' ') s++;
    *field = s;
    char *w = s;
    if (*s == '"') {
        for (s++; *s && !(*s == '"' && s[1] != '"'); s++) {
            if (*s == '"') s++;
            *w++ = *s;
        }
        if (*s) s++;
        while (*s && *s != sep) s++;
    } else {
        while (*s && *s != sep) s++;
        w = s;
        while (w > *field && w[-1] == ' ') w--;
    }
    char *next = *s ? s + 1 : NULL;
    *w = 0;
    return next;
}

int grn_table_next(grn_table_t *b)
{
    char *line;
    int got;
    while ((got = grn_text_next(b->t, &line, NULL)) > 0) {
        int header = !b->sep && line[0] == '#' && line[1] && line[1] != ' ' && line[1] != '#' && strchr(line, '\t');
        if (!line[0] || (line[0] == '#' && !header)) continue;
        if (header) line++;
        if (!b->sep) b->sep = strchr(line, '\t') ? '\t' : ',';
        b->n = 0;
        for (char *s = line; s && b->n < GRN_TABLE_MAX;) s = take_field(s, b->sep, &b->field[b->n++]);
        return 1;
    }
    return got;
}

int grn_table_column(const grn_table_t *b, const char *names)
{
    for (const char *s = names; *s;) {
        size_t n = strcspn(s, "|");
        for (size_t i = 0; i < b->n; i++)
            if (strlen(b->field[i]) == n && !strncasecmp(b->field[i], s, n)) return (int)i;
        s += n + (s[n] == '|');
    }
    return -1;
}
