"""ISO 4217: which currencies there are, and how many decimals each has.

Kept as data, so that what an amount means depends on no other software's list and is the same
offline. The tests compare it with libraries that are looked after.
"""

_BY_DECIMALS = {
    0: """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
    """,
    3: """
    BHD IQD JOD KWD LYD OMR TND
    """,
    4: """
    CLF UYW
    """,
    # Also those of which the standard says that decimals do not apply, such as gold.
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
    GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
    LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
    NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
    XAD XAG XAU XBA XBB XBC XBD XCD XCG XDR XPD XPT XSU XUA YER ZAR ZMW ZWG
    """,
}

CURRENT: dict[str, int] = {
    code: decimals for decimals, codes in _BY_DECIMALS.items() for code in codes.split()
}
"""Today's codes with their decimals, but for XXX (none) and XTS (for tests)."""

RETIRED: dict[str, int] = {
    **dict.fromkeys("ANG BGN CUC HRK MRO SLL STD VEF ZWL".split(), 2),
    "BYR": 0,
    # Never in the standard, but in wide use.
    **dict.fromkeys("CNH GGP IMP IRT JEP".split(), 2),
}
"""No longer codes, or never. Books may hold cash in them, so they are taken all the same."""

_DECIMALS = CURRENT | RETIRED
UNKNOWN = "XXX"
"""The standard's own code for no currency: stands where no code can be read at all."""


def is_known(code: str) -> bool:
    return code in _DECIMALS


def decimals_of(code: str) -> int:
    """How many decimals amounts of this currency have; 2 if it is not known."""
    return _DECIMALS.get(code, 2)
