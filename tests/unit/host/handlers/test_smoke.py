from tests.unit.host.pipeline.terminals import *

async def test_up(unionpay):
    print((await unionpay.sign_in()).answer.fields)
    s = await unionpay.purchase(1234)
    print(s.answer.fields)
    assert '00' == s.code
    r = await unionpay.again(s)
    assert r.answer.fields == s.answer.fields
    e = await unionpay.echo()
    print(e.answer.fields)
    v = await unionpay.void(s)
    assert '00' == v.code
    print((await unionpay.settle(debit_credit((1,1234),(1,1234)))).answer.fields)

async def test_h(hypercom):
    s = await hypercom.purchase(1234)
    assert '00' == s.code
    v = await hypercom.void(s)
    assert '00' == v.code
    r = await hypercom.refund(None, 500)
    assert '00' == r.code
    print((await hypercom.settle({'refunds': Side(1,500)})).answer.fields)
async def test_i(iso87):
    s = await iso87.purchase(1234)
    assert '00' == s.code
    v = await iso87.void(s)
    assert '00' == v.code
    r = await iso87.refund(None, 500)
    assert '00' == r.code
    print((await iso87.settle({'credits': Side(1,500)})).answer.fields)
