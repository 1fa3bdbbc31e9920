"""The words of the page in the languages it has, and which of them a browser asks for."""

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "zh"]

TAGS: Final[Mapping[Language, str]] = {"en": "en", "zh": "zh-CN"}
"""For the page's `lang`."""

ENGLISH: Final[Mapping[str, str]] = {
    "subtitle": "Speaks the OpenAI API and answers with Claude.",
    "demo": "Demo: not Claude. A simulator answers.",
    "ok": "Ready",
    "checking": "Looking up the login",
    "no_login": "No Claude login found",
    "unreachable": "Claude cannot be reached",
    "point": "Point a client here",
    "base_url": "Base URL",
    "that_is": "That is the base URL.",
    "any_key": "Any API key will do.",
    "own_key": "The API key is one of those in PROXY_API_KEYS.",
    "copy": "Copy",
    "copied": "Copied",
    "try": "Try it",
    "message": "A message",
    "hello": "Hello",
    "model": "Model",
    "send": "Send",
    "stop": "Stop",
    "curl": "The same with curl",
    "codex_file": "Write this into a file of its own:",
    "codex_run": "Then run:",
    "models": "Models",
    "name": "Name to use",
    "answers_as": "Answers as",
    "every_model": "Every Claude model that the login may use works under its own name too.",
    "runs": "What runs here",
    "version": "Version",
    "up_for": "up for",
    "way": "Way to Claude",
    "login": "Login",
    "billed": "Billed",
    "kept": "Kept on disk",
    "sealed": "Thinking and uploaded files, sealed: {where} (STATE=memory: nothing on disk)",
    "links": "More",
    "models_link": "All models",
    "health_link": "State as JSON",
    "usage_link": "Usage",
    "key_needed": "A key is needed",
    "key_label": "One of the keys in PROXY_API_KEYS of this proxy",
    "key_open": "Open",
    "key_wrong": "This is not one of the proxy's keys.",
    "key_stays": "It is kept in this tab of the browser until the tab is closed.",
    "day": "day",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
    "plural": "s",
}

CHINESE: Final[Mapping[str, str]] = {
    "subtitle": "提供 OpenAI 兼容接口，由 Claude 回答。",
    "demo": "演示模式：回答来自模拟器，不是 Claude。",
    "ok": "就绪",
    "checking": "正在查询登录状态",
    "no_login": "没有找到 Claude 登录",
    "unreachable": "无法连接 Claude",
    "point": "把客户端指向这里",
    "base_url": "Base URL",
    "that_is": "这就是 base URL。",
    "any_key": "API key 可以随意填写。",
    "own_key": "API key 须是 PROXY_API_KEYS 中的一个。",
    "copy": "复制",
    "copied": "已复制",
    "try": "试一试",
    "message": "消息",
    "hello": "你好",
    "model": "模型",
    "send": "发送",
    "stop": "停止",
    "curl": "用 curl 发送同样的请求",
    "codex_file": "写入一个单独的文件：",
    "codex_run": "然后运行：",
    "models": "模型",
    "name": "使用的名称",
    "answers_as": "实际模型",
    "every_model": "当前登录可用的每个 Claude 模型，也可以直接用它自己的名称。",
    "runs": "运行状态",
    "version": "版本",
    "up_for": "已运行",
    "way": "连接 Claude 的方式",
    "login": "登录",
    "billed": "费用归属",
    "kept": "保存在磁盘上",
    "sealed": "思考内容和上传的文件，已加密：{where}（STATE=memory 时磁盘上什么都不保存）",
    "links": "更多",
    "models_link": "全部模型",
    "health_link": "状态（JSON）",
    "usage_link": "用量",
    "key_needed": "需要密钥",
    "key_label": "本代理 PROXY_API_KEYS 中的任意一个密钥",
    "key_open": "打开",
    "key_wrong": "这不是本代理的密钥。",
    "key_stays": "密钥只保存在这个浏览器标签页中，关闭标签页后即清除。",
    "day": "天",
    "hour": "小时",
    "minute": "分钟",
    "second": "秒",
    "plural": "",
}

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {"en": ENGLISH, "zh": CHINESE}


def language(accept_language: str) -> Language:
    """The one of the two that the browser likes best; English where it says nothing of either (RFC 9110 12.5.4)."""
    best: Language = "en"
    best_quality = 0.0
    for item in accept_language.lower().split(","):
        tag, _, parameters = item.partition(";")
        known: Language | None = {"en": "en", "zh": "zh"}.get(tag.strip().partition("-")[0])  # type: ignore[assignment]
        if known and (quality := _quality(parameters)) > best_quality:
            best, best_quality = known, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
