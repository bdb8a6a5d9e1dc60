"""Set the offsets of a group back to the beginning: ``rewind BOOTSTRAP GROUP TOPIC``."""

import sys

from confluent_kafka import Consumer, TopicPartition


def main() -> None:
    """Commit offset 0 for the four partitions."""
    bootstrap, group, topic = sys.argv[1:]
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(topic, partition, 0) for partition in range(4)], asynchronous=False)
    consumer.close()


if __name__ == "__main__":
    main()
