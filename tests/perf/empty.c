// SPDX-License-Identifier: MIT
// Starts and ends.
int main(void)
{
    return 0;
}
