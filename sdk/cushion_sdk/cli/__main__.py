"""python -m cushion_sdk.cli"""

from cushion_sdk.cli import main

main()
