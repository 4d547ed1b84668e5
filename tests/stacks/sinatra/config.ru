require_relative 'app'
run Balances
