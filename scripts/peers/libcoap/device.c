/*
 * A device with libcoap. It registers over a DTLS session with a pre-shared key, and answers a Read of /3/0/1 on that
 * session with its model, until it is killed. libcoap and the TLS library it is linked with implement the protocols.
 *
 *   device PORT IDENTITY KEY ENDPOINT MODEL      the server is at 127.0.0.1; KEY is text
 *
 * It prints CONNECTED after the handshake, REGISTERED /rd/..., READ, and FAILED when it gives up.
 */
#include <coap3/coap.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number of retransmissions of a handshake or message before it fails. */
#define RETRANSMISSIONS 8
#define LINK_FORMAT 40
#define PLAIN_TEXT 0

static const char *model;

static void say(const char *line) {
  puts(line);
  fflush(stdout);
}

static int fail(const char *reason) {
  printf("FAILED %s\n", reason);
  fflush(stdout);
  return EXIT_FAILURE;
}

static void read_model(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
                       const coap_string_t *query, coap_pdu_t *response) {
  (void)resource, (void)session, (void)request, (void)query;
  uint8_t format[2];
  coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
  coap_add_option(response, COAP_OPTION_CONTENT_FORMAT, coap_encode_var_safe(format, sizeof format, PLAIN_TEXT), format);
  coap_add_data(response, strlen(model), (const uint8_t *)model);
  say("READ");
}

static coap_response_t hear_answer(coap_session_t *session, const coap_pdu_t *sent, const coap_pdu_t *received,
                                   const coap_mid_t id) {
  (void)session, (void)sent, (void)id;
  coap_pdu_code_t code = coap_pdu_get_code(received);
  if (code != COAP_RESPONSE_CODE_CREATED) {
    printf("FAILED Register was answered %d.%02d\n", code >> 5, code & 0x1f);
    fflush(stdout);
    return COAP_RESPONSE_OK;
  }
  coap_opt_iterator_t options;
  coap_opt_filter_t only_location;
  coap_option_filter_clear(&only_location);
  coap_option_filter_set(&only_location, COAP_OPTION_LOCATION_PATH);
  coap_option_iterator_init(received, &options, &only_location);
  printf("REGISTERED ");
  for (coap_opt_t *option = coap_option_next(&options); option; option = coap_option_next(&options)) {
    printf("/%.*s", (int)coap_opt_length(option), (const char *)coap_opt_value(option));
  }
  say("");
  return COAP_RESPONSE_OK;
}

static int hear_event(coap_session_t *session, const coap_event_t event) {
  (void)session;
  if (event == COAP_EVENT_DTLS_CONNECTED) say("CONNECTED");
  if (event == COAP_EVENT_DTLS_ERROR || event == COAP_EVENT_DTLS_CLOSED) exit(fail("the session ended"));
  return 0;
}

static void add_query(coap_optlist_t **options, const char *name, const char *value) {
  char query[256];
  int length = snprintf(query, sizeof query, "%s=%s", name, value);
  coap_insert_optlist(options, coap_new_optlist(COAP_OPTION_URI_QUERY, (size_t)length, (const uint8_t *)query));
}

static int send_register(coap_session_t *session, const char *endpoint) {
  static const char links[] = "</1/0>,</3/0>";
  coap_pdu_t *request = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_POST, session);
  if (!request) return 0;
  uint8_t token[8], format[2];
  size_t token_length;
  coap_session_new_token(session, &token_length, token);
  coap_add_token(request, token_length, token);
  coap_optlist_t *options = NULL;
  coap_insert_optlist(&options, coap_new_optlist(COAP_OPTION_URI_PATH, 2, (const uint8_t *)"rd"));
  coap_insert_optlist(&options, coap_new_optlist(COAP_OPTION_CONTENT_FORMAT,
                                                 coap_encode_var_safe(format, sizeof format, LINK_FORMAT), format));
  add_query(&options, "ep", endpoint);
  add_query(&options, "lt", "300");
  add_query(&options, "lwm2m", "1.1");
  add_query(&options, "b", "U");
  coap_add_optlist_pdu(request, &options);
  coap_delete_optlist(options);
  coap_add_data(request, strlen(links), (const uint8_t *)links);
  return coap_send(session, request) != COAP_INVALID_MID;
}

int main(int count, char **words) {
  if (count != 6) {
    fprintf(stderr, "usage: device PORT IDENTITY KEY ENDPOINT MODEL\n");
    return 2;
  }
  const char *identity = words[2], *key = words[3], *endpoint = words[4];
  model = words[5];

  coap_startup();
  coap_address_t server;
  coap_address_init(&server);
  server.size = sizeof server.addr.sin;
  server.addr.sin.sin_family = AF_INET;
  server.addr.sin.sin_port = htons((uint16_t)atoi(words[1]));
  server.addr.sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

  coap_context_t *context = coap_new_context(NULL);
  if (!context) return fail("no context");
  coap_resource_t *resource = coap_resource_init(coap_make_str_const("3/0/1"), 0);
  coap_register_request_handler(resource, COAP_REQUEST_GET, read_model);
  coap_add_resource(context, resource);
  coap_register_response_handler(context, hear_answer);
  coap_register_event_handler(context, hear_event);

  coap_dtls_cpsk_t psk = {
      .version = COAP_DTLS_CPSK_SETUP_VERSION,
      .psk_info = {.identity = {.length = strlen(identity), .s = (const uint8_t *)identity},
                   .key = {.length = strlen(key), .s = (const uint8_t *)key}},
  };
  coap_session_t *session = coap_new_client_session_psk2(context, NULL, &server, COAP_PROTO_DTLS, &psk);
  if (!session) return fail("no session");
  coap_session_set_max_retransmit(session, RETRANSMISSIONS);
  if (!send_register(session, endpoint)) return fail("Register was not sent");
  while (coap_io_process(context, COAP_IO_WAIT) >= 0) {
  }
  return fail("no more input");
}
