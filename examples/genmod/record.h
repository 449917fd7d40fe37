/* The training record in a model's description. */
#ifndef TOOL_RECORD_H
#define TOOL_RECORD_H

/* Prints the members of the object "record" of a JSON text, a line each. */
void record_print(const char *json);

#endif
