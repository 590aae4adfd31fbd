"""MT940 and CAMT.053: as banks send them, and as they shouldn't be."""

from datetime import date

import pytest

from wallets.reconciliation.formats import files
from wallets.reconciliation.formats.lines import Line, StatementRefused

MT940 = """{1:F01BANKNGLAXXXX0000000000}{2:I940BANKNGLAXXXXN}{4:
:20:STMT260303
:25:NGBANK/0123456789
:28C:62/1
:60F:C260302NGN10000,00
:61:2603020302D400,NTRFpay-0001//BK0001
:86:NIP transfer pay-0001 to Chidi Okafor
:61:2603030303C1250,50NTRFNONREF//BK0002
:86:Incoming payment
dep-0002
:62F:C260303NGN10850,50
-}
"""
SECOND = """:20:STMT260304
:25:NGBANK/0123456789
:28C:63/1
:60F:C260303NGN10850,50
:61:2603040304RC50,50NTRFpay-0009//BK0003
:62F:C260304NGN10800,00
"""
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-04T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
  <Dt><Dt>2026-03-02</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">670.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
  <Dt><Dt>2026-03-03</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">400.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt>
  <AcctSvcrRef>SR1</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>pay-0001</EndToEndId></Refs>
  <RmtInf><Ustrd>To Chidi</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">70.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
  <BookgDt><Dt>2026-03-03</Dt></BookgDt><AcctSvcrRef>SR2</AcctSvcrRef><NtryDtls><Btch><PmtInfId>batch-7</PmtInfId></Btch>
  <TxDtls><Refs><EndToEndId>dep-1</EndToEndId></Refs><Amt Ccy="EUR">30.00</Amt></TxDtls>
  <TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><Amt Ccy="EUR">40.00</Amt></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">5.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts><BookgDt><Dt>2026-03-03</Dt></BookgDt>
  <NtryRef>N3</NtryRef></Ntry>
<Ntry><Amt Ccy="EUR">9.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>INFO</Sts></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


def read(text, format, currency="NGN"):
    return files.read(text if isinstance(text, bytes) else text.encode(), format, currency)


def refused(text, format, currency="NGN"):
    with pytest.raises(StatementRefused) as refusal:
        read(text, format, currency)
    return str(refusal.value)


def test_an_mt940():
    file = read(MT940, "mt940")
    assert file.lines == [
        Line(6, date(2026, 3, 2), -40_000, "pay-0001", "BK0001", description="NIP transfer pay-0001 to Chidi Okafor"),
        Line(8, date(2026, 3, 3), 125_050, "", "BK0002", description="Incoming payment dep-0002"),
    ]
    assert (file.opening, file.closing, file.days()) == (1_000_000, 1_085_050, (date(2026, 3, 2), date(2026, 3, 3)))
    assert file.external_account == "NGBANK/0123456789"


def test_several_statements_in_one_file_are_a_chain():
    file = read(MT940 + SECOND, "mt940")
    assert [line.amount for line in file.lines] == [-40_000, 125_050, -5_050]
    assert (file.opening, file.closing, file.lines[-1].number) == (1_000_000, 1_080_000, 17)
    assert "One is missing" in refused(MT940 + SECOND.replace("NGN10850,50", "NGN10850,51"), "mt940")
    assert "2 accounts" in refused(MT940 + SECOND.replace("0123456789", "9"), "mt940")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("C260303NGN10850,50", "C260303NGN10850,51", "Lines are missing"), ("NGN", "USD", "in USD"),
        ("D400,N", "D400,001N", "decimals"), ("NTRFpay-0001", "", "no transaction type"),
        ("D400,NTRF", "Dx,NTRF", "can't be read"), ("2603020302D", "2613020302D", "can't be read"),
        (MT940, "", "no line"), (MT940, "/etc/passwd", "no line"), (MT940, "\0\1\2", "no line"),
    ],
)  # fmt: skip
def test_an_mt940_that_isnt_right_is_refused_whole(old, new, says):
    assert says in refused(MT940.replace(old, new), "mt940")


def test_a_camt_053():
    file = read(CAMT, "camt053", "EUR")
    assert file.lines == [
        Line(1, date(2026, 3, 2), -40_000, "pay-0001", "SR1", description="To Chidi"),
        Line(2, date(2026, 3, 3), 3_000, "dep-1", "SR2/1", "batch-7"),
        Line(2, date(2026, 3, 3), 4_000, "", "SR2/2", "batch-7"),
        Line(3, date(2026, 3, 3), -500, "", "N3", status="pending"),
    ]
    assert (file.opening, file.closing, file.last_on) == (100_000, 67_000, date(2026, 3, 3))
    assert file.external_account == "DE02120300000000202051"


@pytest.mark.parametrize("version", ["02", "04", "13"])
def test_every_version_of_it(version):
    assert len(read(CAMT.replace("001.08", f"001.{version}"), "camt053", "EUR").lines) == 4


BOMB = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("<Document", BOMB + "<Document", "entities"), ("<Document", OUTSIDE + "<Document", "entities"),
        ("</Stmt>", "", "no XML"), ("670.00", "671.00", "Lines are missing"), ("400.00", "400.001", "decimals"),
        ('400.00</Amt><CdtDbtInd>DBIT', '400.00</Amt><CdtDbtInd>MAYBE', "neither"), ("400.00", "1e3000", "no amount"),
        ('Ccy="EUR">400', 'Ccy="USD">400', "in USD"), ("400.00", "NaN", "no amount"), ("Stmt>", "Rpt>", "no statement"),
        ("<BookgDt><Dt>2026-03-02</Dt></BookgDt>", "", "no booking date"), ("2026-03-02", "2026-02-30", "no date"),
        (CAMT, "", "no XML"), (CAMT, "Date,Amount", "no XML"),
    ],
)  # fmt: skip
def test_a_camt_053_that_isnt_right_is_refused_whole(old, new, says):
    assert says in refused(CAMT.replace(old, new), "camt053", "EUR")
