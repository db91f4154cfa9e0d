// SPDX-License-Identifier: MIT
// new[] with delete, new with delete[]; the right pairs are silent.
// NEEDS: g++
int main()
{
    int *a = new int[5], *good = new int[3], *one = new int; // [blocks]
    // EXPECT: Mismatched free() / delete / delete []
    // AUX: Address 0xADDR is 0 bytes inside a block of size 20 alloc'd [blocks]
    delete a;
    // EXPECT: Mismatched free() / delete / delete []
    // AUX: Address 0xADDR is 0 bytes inside a block of size 4 alloc'd [blocks]
    delete[] one;
    delete[] good;
    return 0;
}
