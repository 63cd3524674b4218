"""How rows compare, print and keep their fields' order.

Covers: S12
"""

from pyflink.common import Row

Person = Row("name", "age")
print(Row(1, "x") == Row(a=1, b="x"), Row(1, 2) == (1, 2), Row(a=1) == Row(a=1), Row(1, 2) == Row(1, 2))
print(repr(Row("a", "b")(1, 2)), repr(Row(b=1, a=2)), repr(Row(1, "x")), repr(Person("Ann", 7)))
print(Row(a=1).as_dict(), Row(x=Row(y=1)).as_dict(True), Person("Ann", 7).name, Person("Ann", 7)["age"])
print(list(Row(1, 2)), len(Row(1, 2)), 1 in Row(1, 2), "name" in Person("Ann", 7), Row(a=1).get_row_kind())
row = Row(a=1)
row["a"] = 5
print(row)
try:
    row.a = 6
    print(row)
except AttributeError:
    print("AttributeError")
try:
    print(Row(a=1).b)
except AttributeError:
    print("AttributeError")
try:
    print(Row(a=1)["b"])
except ValueError:
    print("ValueError")
