#!/usr/bin/env bash
# Runs a command with a Spark cluster of its own: a standalone master, two workers and a Thrift server, from the pyspark
# distribution of .venv-spark, on loopback only and gone when the command ends. Installs Debian's Java where there is none
# and root may install it.
#   scripts/with_spark.sh COMMAND…
# The command finds the Thrift server by WAREHOUSE_SPARK_PORT; WAREHOUSE_SPARK_HOME is the cluster's folder (logs/, pids/).
# Everything is written below WAREHOUSE_DIR/spark: tables, and a metastore (Derby) that knows them the next time. Where
# WAREHOUSE_DIR is not set, it is a temporary folder, and the catalog is kept in memory (WAREHOUSE_SPARK_CATALOG decides).
# WAREHOUSE_SPARK_WORKERS, WAREHOUSE_SPARK_WORKER_CORES, WAREHOUSE_SPARK_EXECUTOR_MEMORY and WAREHOUSE_SPARK_DRIVER_MEMORY
# size it. WAREHOUSE_SPARK_JAVA_OPTIONS: by default the quick compiler only, which small data finish sooner with.
# WAREHOUSE_SPARK_TUNING: `small` suits small data; `none` leaves Spark's own defaults, as a cluster of your own has them.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${WAREHOUSE_SPARK_PYTHON:-$project/.venv-spark/bin/python}
workers=${WAREHOUSE_SPARK_WORKERS:-2}
worker_cores=${WAREHOUSE_SPARK_WORKER_CORES:-1}
executor_memory=${WAREHOUSE_SPARK_EXECUTOR_MEMORY:-1g}
driver_memory=${WAREHOUSE_SPARK_DRIVER_MEMORY:-3g}
tuning=${WAREHOUSE_SPARK_TUNING:-small}
java_options=${WAREHOUSE_SPARK_JAVA_OPTIONS--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}

find_java() {
    if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
        echo "$JAVA_HOME/bin/java"
    else
        command -v java || ls /usr/lib/jvm/java-{21,17}-*/bin/java 2>/dev/null | head -n 1
    fi
}
if [ -z "$(find_java)" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: no Java found: install Java 17 or 21 (Debian: apt-get install openjdk-17-jre-headless)" >&2
        exit 1
    fi
    echo "Installing Java …" >&2
    apt-get update -qq
    package=$(apt-cache --names-only search '^openjdk-(17|21)-jre-headless$' | cut -d' ' -f1 | sort | head -n 1)
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${package:-openjdk-17-jre-headless}" >/dev/null
fi
JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(find_java)")")")
export JAVA_HOME

if [ -n "${WAREHOUSE_DIR:-}" ]; then
    home=$(mkdir -p "$WAREHOUSE_DIR" && (umask 077 && mkdir -p "$WAREHOUSE_DIR/spark") && cd "$WAREHOUSE_DIR/spark" && pwd)
    is_temporary=
    catalog=${WAREHOUSE_SPARK_CATALOG:-hive}
else
    home=$(mktemp -d "${TMPDIR:-/tmp}/warehouse-spark-XXXXXX")
    is_temporary=1
    catalog=${WAREHOUSE_SPARK_CATALOG:-in-memory}
fi
if [ -e "$home/pids/thrift" ] && kill -0 "$(cat "$home/pids/thrift")" 2>/dev/null; then
    echo "error: a cluster runs in $home already: wait until its command ends, or set WAREHOUSE_DIR" >&2
    exit 1
fi
rm -rf "$home/pids" "$home/local" "$home/work"
mkdir -p "$home"/{logs,pids,local/hive,work,conf,tables,contract}
# Unit tests of dbt read the input contract through the engine, and Spark reads no file with a leading underscore.
for file in "$project"/seeds/*/_*__seeds.yml; do
    name=$(basename "$file")
    cp "$file" "$home/contract/${name#_}"
done

stop() {
    for role in thrift $(ls "$home/pids" 2>/dev/null | grep -v '^thrift$' || true); do
        kill "$(cat "$home/pids/$role")" 2>/dev/null || true
    done
    for _ in $(seq 50); do
        running=
        for pid_file in "$home"/pids/*; do
            [ -e "$pid_file" ] && kill -0 "$(cat "$pid_file")" 2>/dev/null && running=1
        done
        [ -z "$running" ] && break
        sleep 0.2
    done
    for pid_file in "$home"/pids/*; do
        [ -e "$pid_file" ] && kill -9 "$(cat "$pid_file")" 2>/dev/null || true
    done
    if [ -n "$is_temporary" ]; then rm -rf "$home"; else rm -rf "$home/pids" "$home/local" "$home/work"; fi
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

SPARK_HOME=$("$python" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')
export SPARK_HOME
export SPARK_DAEMON_JAVA_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
export SPARK_CONF_DIR="$home/conf" SPARK_LOG_DIR="$home/logs" SPARK_LOCAL_IP=127.0.0.1 PYSPARK_PYTHON="$python"
cat >"$home/conf/log4j2.properties" <<'LOGGING'
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
logger.worker.name = org.apache.spark.deploy.worker.Worker
logger.worker.level = info
LOGGING

free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start ROLE COMMAND…: in the background, in a session of its own, so that a Ctrl-C first reaches the command.
start() {
    local role=$1
    shift
    setsid "$@" >"$home/logs/$role.log" 2>&1 </dev/null &
    echo $! >"$home/pids/$role"
    disown
}

# wait_for ROLE SECONDS CONDITION…
wait_for() {
    local role=$1 seconds=$2
    shift 2
    for _ in $(seq $((seconds * 5))); do
        "$@" && return 0
        kill -0 "$(cat "$home/pids/$role")" 2>/dev/null || break
        sleep 0.2
    done
    echo "error: the $role of the Spark cluster did not start:" >&2
    tail -n 20 "$home/logs/$role.log" >&2
    exit 1
}

master_port=$(free_port)
start master "$SPARK_HOME/bin/spark-class" -Xmx512m org.apache.spark.deploy.master.Master \
    --host 127.0.0.1 --port "$master_port" --webui-port 0
wait_for master 120 is_open "$master_port"

worker_is_registered() { grep -q 'Successfully registered with master' "$home/logs/$1.log"; }

for number in $(seq "$workers"); do
    # A worker offers what its one executor takes: its heap and what Spark adds to it.
    start "worker_$number" "$SPARK_HOME/bin/spark-class" -Xmx256m org.apache.spark.deploy.worker.Worker \
        --host 127.0.0.1 --webui-port 0 --cores "$worker_cores" --memory "$executor_memory" \
        --work-dir "$home/work" "spark://127.0.0.1:$master_port"
done
for number in $(seq "$workers"); do
    wait_for "worker_$number" 120 worker_is_registered "worker_$number"
done

WAREHOUSE_SPARK_PORT=$(free_port)
export WAREHOUSE_SPARK_PORT WAREHOUSE_SPARK_HOME="$home"
# What decides results stands in profiles.yml; here is what the cluster needs to run.
settings=(
    spark.driver.bindAddress=127.0.0.1
    spark.driver.host=127.0.0.1
    spark.ui.enabled=false
    spark.local.dir="$home/local"
    spark.executor.memory="$executor_memory"
    spark.executor.cores="$worker_cores"
    spark.sql.catalogImplementation="$catalog"
    spark.sql.warehouse.dir="$home/tables"
    spark.hadoop.javax.jdo.option.ConnectionURL="jdbc:derby:;databaseName=$home/metastore;create=true"
    spark.hadoop.hive.server2.thrift.bind.host=127.0.0.1
    spark.hadoop.hive.server2.thrift.port="$WAREHOUSE_SPARK_PORT"
    spark.hadoop.hive.exec.scratchdir="$home/local/hive"
    spark.hadoop.hive.exec.local.scratchdir="$home/local/hive"
    spark.hadoop.hive.server2.logging.operation.enabled=false
    spark.driver.extraJavaOptions="-Dderby.system.home=$home -Dderby.stream.error.file=$home/logs/derby.log -Djava.io.tmpdir=$home/local -XX:+UseParallelGC -XX:NewRatio=1"
    spark.executor.extraJavaOptions="$java_options"
    # Pages of the plans of past statements, which nobody looks at.
    spark.sql.ui.retainedExecutions=1
    spark.sql.thriftserver.ui.retainedStatements=1
    spark.sql.thriftserver.ui.retainedSessions=1
    spark.ui.retainedJobs=10
    spark.ui.retainedStages=10
    spark.ui.retainedTasks=100
)
if [ "$tuning" = small ]; then
    settings+=(
        # A check of Spark's own optimizer after every rule; it doubles the time that a large model takes to plan.
        spark.sql.lightweightPlanChangeValidation=false
        # Small data: most of the time goes into plans. No plan is revised while it runs, no rule looks for conditions
        # that follow from others, and expressions are interpreted: to compile them takes longer than to evaluate them.
        spark.sql.adaptive.enabled=false
        spark.sql.constraintPropagation.enabled=false
        spark.sql.codegen.wholeStage=false
        spark.sql.codegen.factoryMode=NO_CODEGEN
    )
fi
cd "$project"
unset SPARK_DAEMON_JAVA_OPTS # a Thrift server would take it too
start thrift "$SPARK_HOME/bin/spark-submit" --master "spark://127.0.0.1:$master_port" --deploy-mode client \
    --driver-memory "$driver_memory" --name "Thrift server of the warehouse" \
    --class org.apache.spark.sql.hive.thriftserver.HiveThriftServer2 \
    "${settings[@]/#/--conf=}" spark-internal
wait_for thrift 300 is_open "$WAREHOUSE_SPARK_PORT"
cd - >/dev/null

"$@"
