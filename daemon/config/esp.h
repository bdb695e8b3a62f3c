/*
 * esp.h: `esp` of nurtured.yaml: the mail services that report bounces and complaints by webhook.
 */
#ifndef CONFIG_ESP_H
#define CONFIG_ESP_H

#include "keys.h"

extern const struct key_table esp_table;

void esp_load(struct load *l, const struct yaml_node *list);

#endif
