"""The primes, without end."""

from itertools import count


def primes():
    found = []
    for number in count(2):
        if all(number % prime for prime in found):
            found.append(number)
            yield number
