# The endpoint on Sinatra, served by Puma. Rejects item by item; keeps numbers in memory.
require 'json'
require 'rack/utils'
require 'sinatra/base'
require 'time'

class Balances < Sinatra::Base
  TOKEN = ENV.fetch('BATCHPROOF_TOKEN')
  RFC3339 = /\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\z/
  MANDATORY = {
    'communicationNumber' => ->(v) { text?(v, 255) && !v.empty? },
    'requester' => ->(v) { text?(v, 100) },
    'accountExtId' => ->(v) { text?(v) },
    'balanceAt' => ->(v) { instant?(v) },
    'value' => ->(v) { number?(v) }
  }.freeze
  OPTIONAL = {
    'equivalentValue' => ->(v) { number?(v) },
    'balanceType' => ->(v) { text?(v) },
    'businessUnit' => ->(v) { text?(v) }
  }.freeze
  USED = {}
  LOCK = Mutex.new

  set :environment, :production
  set :host_authorization, permitted_hosts: []

  class << self
    # Half a surrogate pair is no text; the answer could not carry it.
    def text?(value, longest = nil)
      value.is_a?(String) && value.valid_encoding? && (longest.nil? || value.length <= longest)
    end

    def number?(value)
      value.is_a?(Integer) || (value.is_a?(Float) && value.finite?)
    end

    def instant?(value)
      value.is_a?(String) && value.valid_encoding? && RFC3339.match?(value) && !Time.iso8601(value).nil?
    rescue ArgumentError
      false
    end

    # Why an item is rejected; nil if it was accepted. Only an accepted item uses its number up.
    def verdict(item)
      return ['O001', 'an item must be an object'] unless item.is_a?(Hash)

      MANDATORY.each do |name, fits|
        return ['O001', "#{name} is mandatory"] if item[name].nil?
        return ['O001', "#{name} is incorrect"] unless fits.call(item[name])
      end
      OPTIONAL.each { |name, fits| return ['O001', "#{name} is incorrect"] unless item[name].nil? || fits.call(item[name]) }
      number = item['communicationNumber']
      LOCK.synchronize do
        return ['O005', 'CommunicationNumber already used in AMLYZE'] if USED.key?(number)

        USED[number] = true
      end
      nil
    end

    # The identity of an item, as far as the schema of a result can carry it.
    def echo(item)
      return {} unless item.is_a?(Hash)

      item.slice('communicationNumber', 'accountExtId', 'businessUnit').select { |_, value| text?(value, 255) }
    end
  end

  def answer(status, body)
    halt status, { 'Content-Type' => 'application/json' }, body.to_json
  end

  def refused(description)
    answer 400, resultType: 'REQUEST_REJECTED', errorCode: 'O001', errorDescription: description
  end

  def millis(since)
    ((Process.clock_gettime(Process::CLOCK_MONOTONIC) - since) * 1000).to_i
  end

  before do
    scheme, token = request.env['HTTP_AUTHORIZATION'].to_s.split(' ', 2)
    next if scheme.to_s.casecmp?('bearer') && Rack::Utils.secure_compare(token.to_s.strip, TOKEN)

    headers 'WWW-Authenticate' => 'Bearer'
    answer 401, error: { code: 'unauthorized' }
  end

  post '/amlyze-ws-rest/batch-account-balances' do
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    begin
      batch = JSON.parse(request.body.read)
    rescue JSON::ParserError, EncodingError
      refused 'the body is not JSON'
    end
    items = batch.is_a?(Hash) ? batch['accountBalances'] : nil
    refused 'accountBalances is mandatory' unless items.is_a?(Array)
    results = items.map do |item|
      since = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      code, description = self.class.verdict(item)
      result = self.class.echo(item).merge('resultType' => code ? 'REQUEST_REJECTED' : 'REQUEST_ACCEPTED')
      result.merge!('errorCode' => code, 'errorDescription' => description) if code
      result.merge('timeElapsedMs' => millis(since))
    end
    answer 200, results: results, timeElapsedMs: millis(began)
  end
end
