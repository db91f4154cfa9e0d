// SPDX-License-Identifier: MIT
// The inner pointer that a std::string or new[] keeps is understood.
// NEEDS: g++
// OPTIONS: --leak-check=full --show-leak-kinds=definite,possible
// LINE: possibly lost: 0 bytes in 0 blocks
#include <string>
struct Item { int v; ~Item() { v = 0; } };
Item *items;
std::string *text;
int main()
{
    items = new Item[10];
    text = new std::string(100, 'x');
    return 0;
}
