/* The conversation with the agent, and what happens to a DEL that finds none. */
#ifndef MARGAY_AGENT_H
#define MARGAY_AGENT_H

#include "client.h"

struct reply {
  int exit_code;
  const char *out, *err; /* live until exit */
  size_t out_length, err_length;
};

/* ANSWERED: reply is filled. AWAY: nobody listens, or the agent died on us; asking again is safe. SILENT: out of time. */
enum outcome { ANSWERED, AWAY, SILENT };

/* The whole frame: environment, program name, standard input. */
void build_request(struct buffer *frame, const struct buffer *in, const char *program);

/* One connection, one request with its descriptors, one reply. */
enum outcome exchange(const struct buffer *request, const int *fds, int count, struct reply *reply);

/* DEL: answered by the agent (true, reply is filled), or left on disk for it. */
bool delete_attachment(const struct buffer *request, const int *fds, int count, struct reply *reply);

#endif
