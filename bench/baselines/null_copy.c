/* W0 in C: what librdkafka itself takes to read and write; the ceiling of every client on top of it.
 *
 * Linked with the very library that the Python client brings along, so that the versions are the same; that one comes
 * without its header, hence the declarations of what is used here (librdkafka's ABI, stable since 0.9).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_topic_conf_s rd_kafka_topic_conf_t;
typedef struct rd_kafka_queue_s rd_kafka_queue_t;
typedef struct rd_kafka_message_s {
    int err;
    rd_kafka_topic_t *rkt;
    int32_t partition;
    void *payload;
    size_t len;
    void *key;
    size_t key_len;
    int64_t offset;
    void *private_;
} rd_kafka_message_t;
typedef struct rd_kafka_metadata_partition {
    int32_t id;
    int err;
    int32_t leader;
    int replica_cnt;
    int32_t *replicas;
    int isr_cnt;
    int32_t *isrs;
} rd_kafka_metadata_partition_t;
typedef struct rd_kafka_metadata_topic {
    char *topic;
    int partition_cnt;
    rd_kafka_metadata_partition_t *partitions;
    int err;
} rd_kafka_metadata_topic_t;
typedef struct rd_kafka_metadata {
    int broker_cnt;
    void *brokers;
    int topic_cnt;
    rd_kafka_metadata_topic_t *topics;
    int32_t orig_broker_id;
    char *orig_broker_name;
} rd_kafka_metadata_t;

enum { PRODUCER, CONSUMER };
enum { COPY = 2, BLOCK = 4 };
enum { ANY_PARTITION = -1, BEGINNING = -2 };

rd_kafka_conf_t *rd_kafka_conf_new(void);
int rd_kafka_conf_set(rd_kafka_conf_t *, const char *, const char *, char *, size_t);
rd_kafka_t *rd_kafka_new(int, rd_kafka_conf_t *, char *, size_t);
rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *, const char *, rd_kafka_topic_conf_t *);
int rd_kafka_metadata(rd_kafka_t *, int, rd_kafka_topic_t *, const rd_kafka_metadata_t **, int);
int rd_kafka_query_watermark_offsets(rd_kafka_t *, const char *, int32_t, int64_t *, int64_t *, int);
rd_kafka_queue_t *rd_kafka_queue_new(rd_kafka_t *);
int rd_kafka_consume_start_queue(rd_kafka_topic_t *, int32_t, int64_t, rd_kafka_queue_t *);
ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *, int, rd_kafka_message_t **, size_t);
int rd_kafka_produce(rd_kafka_topic_t *, int32_t, int, void *, size_t, const void *, size_t, void *);
void rd_kafka_message_destroy(rd_kafka_message_t *);
int rd_kafka_poll(rd_kafka_t *, int);
int rd_kafka_flush(rd_kafka_t *, int);

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static rd_kafka_t *client(int type, const char *const *settings) {
    char error[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (; *settings; settings += 2)
        if (rd_kafka_conf_set(conf, settings[0], settings[1], error, sizeof error)) fail(error);
    rd_kafka_t *made = rd_kafka_new(type, conf, error, sizeof error);
    if (!made) fail(error);
    return made;
}

int main(int count, char **arguments) {
    const char *bootstrap = "localhost:9092", *input = "events", *output = "copies";
    for (int i = 1; i + 1 < count; i += 2) {
        if (!strcmp(arguments[i], "--bootstrap")) bootstrap = arguments[i + 1];
        else if (!strcmp(arguments[i], "--input")) input = arguments[i + 1];
        else if (!strcmp(arguments[i], "--output")) output = arguments[i + 1];
        else fail("null_copy --bootstrap SERVERS --input TOPIC --output TOPIC");
    }
    const char *reading[] = {"bootstrap.servers", bootstrap, "group.id", "in-c", "enable.auto.commit", "false",
                             "queued.min.messages", "1000000", "fetch.queue.backoff.ms", "10", NULL};
    const char *writing[] = {"bootstrap.servers", bootstrap, "linger.ms", "20",
                             "queue.buffering.max.messages", "500000", NULL};
    rd_kafka_t *consumer = client(CONSUMER, reading), *producer = client(PRODUCER, writing);
    rd_kafka_topic_t *source = rd_kafka_topic_new(consumer, input, NULL);
    rd_kafka_topic_t *target = rd_kafka_topic_new(producer, output, NULL);
    const rd_kafka_metadata_t *metadata;
    if (rd_kafka_metadata(consumer, 0, source, &metadata, 10000)) fail("no metadata");
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer);
    int64_t remaining = 0, low, high;
    for (int32_t partition = 0; partition < metadata->topics[0].partition_cnt; partition++) {
        if (rd_kafka_query_watermark_offsets(consumer, input, partition, &low, &high, 10000)) fail("no offsets");
        remaining += high;
        if (rd_kafka_consume_start_queue(source, partition, BEGINNING, queue)) fail("cannot read");
    }
    static rd_kafka_message_t *messages[10000];
    while (remaining) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 100, messages, 10000);
        for (ssize_t i = 0; i < got; i++) {
            rd_kafka_message_t *message = messages[i];
            if (message->err) fail("an error instead of a record");
            if (rd_kafka_produce(target, ANY_PARTITION, COPY | BLOCK, message->payload, message->len, NULL, 0, NULL))
                fail("cannot write");
            rd_kafka_message_destroy(message);
        }
        rd_kafka_poll(producer, 0);
        if (got > 0) remaining -= got;
    }
    if (rd_kafka_flush(producer, 60000)) fail("not everything was written");
    return 0;
}
