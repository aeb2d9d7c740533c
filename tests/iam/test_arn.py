import botocore.session
import pytest

from iam.arn import RoleArn, partition_of


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        ("arn:aws:iam::111122223333:role/team", RoleArn("aws", "111122223333", "/", "team")),
        (
            "arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole-20240101T000001",
            RoleArn("aws", "111122223333", "/service-role/", "AmazonSageMaker-ExecutionRole-20240101T000001"),
        ),
        (
            "arn:aws-cn:iam::111122223333:role/data/science/team",
            RoleArn("aws-cn", "111122223333", "/data/science/", "team"),
        ),
        (
            "arn:aws-us-gov:iam::000000000001:role/a+b=c,d.e@f_g-h",
            RoleArn("aws-us-gov", "000000000001", "/", "a+b=c,d.e@f_g-h"),
        ),
        (
            "arn:aws-iso-b:iam::111122223333:role/!~/" + "r" * 64,
            RoleArn("aws-iso-b", "111122223333", "/!~/", "r" * 64),
        ),
    ],
)
def test_a_role_arn_is_parsed_and_formatted_again(text: str, arn: RoleArn) -> None:
    assert RoleArn.parse(text) == arn
    assert str(arn) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "team",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/team/",
        "arn:aws:iam::111122223333:role//team",
        "arn:aws:iam::111122223333:role/" + "r" * 65,
        "arn:aws:iam::111122223333:role/" + "p" * 511 + "/team",
        "arn:aws:iam::111122223333:role/my path/team",
        "arn:aws:iam::111122223333:role/team ",
        "arn:aws:iam::111122223333:role/team\n",
        "arn:aws:iam::111122223333:role/t\u0435am",
        "arn:aws:iam::11112222333:role/team",
        "arn:aws:iam::\u0661\u0661\u0661\u0661\u0662\u0662\u0662\u0662\u0663\u0663\u0663\u0663:role/team",
        "arn:aws:iam:eu-west-1:111122223333:role/team",
        "arn:aws:iam::111122223333:user/team",
        "arn:aws:sts::111122223333:assumed-role/team/session",
        "arn:aws:s3:::bucket",
        "arn:gcp:iam::111122223333:role/team",
    ],
)
def test_other_text_is_an_error_that_says_what_to_supply(text: str) -> None:
    with pytest.raises(
        ValueError,
        match=r"^supply the ARN of an IAM role, like arn:aws:iam::1.*name, got \".*\"( \(\d+ characters\))?$",
    ):
        RoleArn.parse(text)


def test_every_region_has_the_partition_that_botocore_lists() -> None:
    session = botocore.session.Session()
    regions = {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("iam", partition, allow_non_regional=True)
        + session.get_available_regions("sts", partition)
        if region[-1].isdigit()
    }
    assert len(set(regions.values())) >= 6
    assert {region: partition_of(region) for region in regions} == regions


def test_an_unknown_region_is_in_the_first_partition() -> None:
    assert partition_of("eu-north-7") == "aws"
